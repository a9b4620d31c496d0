package demo

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/homeward/homeward/examples"
	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/serve"
)

// ErrAdminAddress says that the admin port could be reached from other machines.
var ErrAdminAddress = errors.New("the demo's admin port asks for no token: listen on 127.0.0.1")

// ports are the open listeners of a world.
type ports struct {
	http, https, admin net.Listener
	cells              []net.Listener // by index in the topology
	topology           string         // YAML with the addresses of cells
	tls                *tls.Config    // set when the certificate is made
}

// listen opens all listeners, or none.
func listen(c Config) (p *ports, err error) {
	p = &ports{}
	defer func() {
		if err != nil {
			p.close()
			p = nil
		}
	}()
	if !serve.Loopback(c.Admin) {
		return p, fmt.Errorf("--admin %s: %w", c.Admin, ErrAdminAddress)
	}
	if p.http, err = open("the edge", c.HTTP, "--http"); err != nil {
		return p, err
	}
	if p.https, err = open("the edge's TLS", c.HTTPS, "--https"); err != nil {
		return p, err
	}
	if p.admin, err = open("the admin port", c.Admin, "--admin"); err != nil {
		return p, err
	}
	return p, p.openCells(c.CellPort)
}

// openCells opens a listener for each cell and puts its address into the
// topology.
func (p *ports) openCells(port int) error {
	top, err := config.Load("demo.yaml", []byte(examples.Demo()))
	if err != nil {
		return err
	}
	var renamed []string
	for i := range top.Cells {
		gateway, err := url.Parse(top.Cells[i].Gateways[0])
		if err != nil {
			return err
		}
		at := port
		if port != 0 {
			at += i
		}
		l, err := open("cell "+top.Cells[i].Name, net.JoinHostPort(gateway.Hostname(), strconv.Itoa(at)), "--cell-port")
		if err != nil {
			return err
		}
		p.cells = append(p.cells, l)
		for _, gateway := range append(top.Cells[i].Gateways, top.Cells[i].GRPCGateways...) {
			scheme, _, _ := strings.Cut(gateway, "://")
			renamed = append(renamed, `"`+gateway+`"`, `"`+scheme+"://"+l.Addr().String()+`"`)
		}
	}
	p.topology = strings.NewReplacer(renamed...).Replace(examples.Demo())
	return nil
}

func open(what, addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE) && flag == "--cell-port":
		return nil, fmt.Errorf("%s listens on %s, which is taken: end what uses it, or give another first port with --cell-port (0 takes any free ones): %w", what, addr, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s listens on %s, which is taken: end what uses it, or give another address with %s (port 0 takes any free one): %w", what, addr, flag, syscall.EADDRINUSE)
	}
	return nil, fmt.Errorf("%s cannot listen on %s: give an address such as 127.0.0.1:0 with %s: %w", what, addr, flag, err)
}

// close closes all listeners; those that were served are closed already.
func (p *ports) close() {
	for _, l := range append([]net.Listener{p.http, p.https, p.admin}, p.cells...) {
		if l != nil {
			_ = l.Close()
		}
	}
}
