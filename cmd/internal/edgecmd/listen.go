package edgecmd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/serve"
)

// listeners are the open ones; nil for those that were not asked for.
type listeners struct {
	plain, secure, admin net.Listener
	packets              net.PacketConn
}

// checkAddresses says which flag has no address to listen on.
func (o *options) checkAddresses() error {
	for _, given := range []struct{ flag, addr string }{
		{"--http", o.http}, {"--https", o.https}, {"--http3", o.http3.addr}, {"--admin", o.admin},
	} {
		if given.addr == "" {
			continue
		}
		_, port, err := net.SplitHostPort(given.addr)
		if err == nil {
			_, err = net.LookupPort("tcp", port) // a number, or the name of one
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w\nfix: write HOST:PORT, as in 127.0.0.1:8080, or :8080 for every address of this machine", given.flag, given.addr, err)
		}
	}
	return nil
}

// open opens all listeners or none.
func (o *options) open() (l listeners, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	for _, want := range []struct {
		flag, addr string
		to         *net.Listener
	}{{"--https", o.https, &l.secure}, {"--http", o.http, &l.plain}, {"--admin", o.admin, &l.admin}} {
		if want.addr == "" {
			continue
		}
		if *want.to, err = net.Listen("tcp", want.addr); err != nil {
			return l, fmt.Errorf("%s %s: %w", want.flag, want.addr, err)
		}
	}
	if o.http3.addr != "" {
		if l.packets, err = net.ListenPacket("udp", o.http3.addr); err != nil {
			return l, fmt.Errorf("--http3 %s: %w", o.http3.addr, err)
		}
	}
	return l, nil
}

func (l *listeners) close() {
	for _, one := range []net.Listener{l.plain, l.secure, l.admin} {
		if one != nil {
			_ = one.Close()
		}
	}
	if l.packets != nil {
		_ = l.packets.Close()
	}
}

// listen opens all listeners before any of them serves.
func (p *process) listen() error {
	var handler http.Handler
	if p.options.admin != "" {
		var err error
		if handler, err = p.guard(); err != nil {
			return err
		}
	}
	l, err := p.options.open()
	if err != nil {
		return err
	}
	if l.packets != nil {
		p.serveHTTP3(l.packets)
	}
	if l.plain != nil {
		go p.serve("http", l.plain, nil)
	}
	if l.secure != nil {
		p.certificates.start(l.plain, l.secure)
		go p.serve("https", l.secure, p.certificates.tls())
	}
	if l.admin != nil {
		p.admin = serve.AdminServer(handler, serve.AdminWait, p.log.Handler())
		p.log.Info("listening", "admin", l.admin.Addr().String())
		go func() { _ = p.admin.Serve(l.admin) }()
	}
	return nil
}

func (p *process) serve(what string, l net.Listener, config *tls.Config) {
	p.log.Info("listening", what, l.Addr().String())
	if err := p.edge.Serve(l, config); err != nil && !errors.Is(err, edge.ErrClosed) {
		p.failed <- fmt.Errorf("%s: %w", what, err)
	}
}

// guard puts a lock on the admin port: a token if there is one, else only names
// of this machine.
func (p *process) guard() (http.Handler, error) {
	if p.options.adminTokenFile == "" {
		return serve.RequireLocalHost(p.edge.Admin()), nil
	}
	b, err := os.ReadFile(p.options.adminTokenFile)
	if err != nil {
		return nil, fmt.Errorf("--admin-token-file: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < 16 {
		return nil, fmt.Errorf("--admin-token-file %s: the token has fewer than 16 characters", p.options.adminTokenFile)
	}
	return serve.RequireToken(token, p.edge.Admin()), nil
}
