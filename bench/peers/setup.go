// Package peers holds the proxies that are compared, this project's edge among
// them, and the origin behind them: their configurations, which give all the
// same work, how they are started, and a check that they do it.
package peers

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
)

// Host is the name that all requests are for.
const Host = "api.example.test"

// Paths that the origin answers, and the length of each answer in bytes.
const (
	SmallPath = "/v1/contacts"
	LargePath = "/v1/export"
	SmallSize = 1 << 10
	LargeSize = 64 << 10
)

// names are the two cells.
var names = [...]string{"na1", "eu1"}

//go:embed nginx.conf
var nginxConf string

//go:embed haproxy.cfg
var haproxyConf string

//go:embed Caddyfile
var caddyConf string

//go:embed topology.yaml
var topologyConf string

//go:embed origin.conf
var originConf string

// Setup is what all processes of a comparison share.
type Setup struct {
	Dir       string   // of their files
	CellNames []string // of the two cells, in the order of all other lists
	Cells     []string // addresses of the cells: the origin listens on them
	Tokens    []string // a bearer token of each cell
	Root      bool     // whether this is root, who may choose a user for nginx

	Cert, Key, CertAndKey string // files, PEM
	File64K               string // the large answer
	Body1K                string // the small one
}

// NewSetup writes into dir the files that all share: a certificate and the
// large answer. The tokens are made up and open nothing.
func NewSetup(dir string) (*Setup, error) {
	s := &Setup{
		Dir: dir, CellNames: names[:], Root: os.Geteuid() == 0,
		Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), CertAndKey: filepath.Join(dir, "both.pem"),
		File64K: filepath.Join(dir, "export.bin"), Body1K: strings.Repeat("contact ", SmallSize/8),
	}
	format, err := credential.NewHomeward("hw")
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		token, err := format.Mint(nil, cell.MustName(name), cell.Account(4711+i))
		if err != nil {
			return nil, err
		}
		s.Tokens = append(s.Tokens, token)
	}
	if s.Cells, err = freeAddresses(len(names)); err != nil {
		return nil, err
	}
	if err := s.writeCertificate(); err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	if err := os.WriteFile(s.File64K, []byte(strings.Repeat("exported", LargeSize/8)), 0o644); err != nil {
		return nil, err
	}
	return s, nil
}

// freeAddresses is n addresses of this machine on which nobody listens.
func freeAddresses(n int) ([]string, error) {
	var found []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // after the last, so that no two are the same
		found = append(found, l.Addr().String())
	}
	return found, nil
}

// render fills a template in and writes it to a file.
func render(text, file string, data any) error {
	t, err := template.New(filepath.Base(file)).Option("missingkey=error").Parse(text)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
