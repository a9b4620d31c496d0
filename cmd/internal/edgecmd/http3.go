package edgecmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/homeward/homeward/internal/edge"
)

// HTTP3 serves HTTP/3 on UDP sockets.
type HTTP3 interface {
	// Serve accepts connections until Shutdown; the socket is its own from then on.
	Serve(packets net.PacketConn) error
	// Shutdown ends the connections over the window, at the latest when ctx ends.
	Shutdown(ctx context.Context, window time.Duration) error
}

// advertisedFor is how many seconds clients keep in mind where HTTP/3 is spoken.
// They come back over TCP if it no longer is, but later than they could.
const advertisedFor = 3600

// http3Options are the flags of HTTP/3.
type http3Options struct {
	addr      string
	advertise string
}

func (o *http3Options) flags(f *pflag.FlagSet) {
	f.StringVar(&o.addr, "http3", "", "UDP address for HTTP/3, as in :8443; it needs --https, whose certificates it shows")
	f.StringVar(&o.advertise, "http3-advertise", "", "port that answers over HTTPS name in Alt-Svc, off for none (default that of --http3)")
}

func (o *options) checkHTTP3() error {
	advertise := o.http3.advertise
	port, err := strconv.ParseUint(advertise, 10, 16)
	switch {
	case o.http3.addr == "" && advertise != "":
		return errors.New("--http3-advertise is for --http3 ADDR, which is not given")
	case o.http3.addr != "" && o.https == "":
		return errors.New("--http3 needs --https ADDR: clients learn there that HTTP/3 is spoken, and come back there where UDP does not pass")
	case advertise != "" && advertise != "off" && (err != nil || port == 0):
		return fmt.Errorf("--http3-advertise %q: give a port, 1 to 65535, or off", advertise)
	}
	return nil
}

// altSvc is what answers over HTTPS say of the socket, "" for nothing (RFC 7838
// section 3).
func (o *http3Options) altSvc(packets net.PacketConn) string {
	port := o.advertise
	switch port {
	case "off":
		return ""
	case "":
		port = strconv.Itoa(packets.LocalAddr().(*net.UDPAddr).Port)
	}
	return fmt.Sprintf(`h3=":%s"; ma=%d`, port, advertisedFor)
}

// serveHTTP3 serves the socket, before any answer tells of it.
func (p *process) serveHTTP3(packets net.PacketConn) {
	p.http3 = p.options.features.HTTP3(p.edge.Server(), p.certificates.tls())
	p.edge.Server().Advertise(p.options.http3.altSvc(packets))
	p.log.Info("listening", "http3", packets.LocalAddr().String())
	go func() {
		if err := p.http3.Serve(packets); err != nil && !errors.Is(err, edge.ErrClosed) {
			p.failed <- fmt.Errorf("http3: %w", err)
		}
	}()
}

// shutdown ends the edge and what serves before it, both over the window.
func (p *process) shutdown(ctx context.Context, window time.Duration) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if p.http3 != nil {
			_ = p.http3.Shutdown(ctx, window) // what it broke off, the edge tells
		}
	}()
	err := p.edge.Shutdown(ctx, window)
	<-ended
	return err
}
