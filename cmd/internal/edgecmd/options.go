package edgecmd

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/homeward/homeward/internal/serve"
)

// options are the flags.
type options struct {
	features Features

	topology       string
	http           string
	https          string
	cert, key      string
	acme           acmeOptions
	http3          http3Options
	admin          string
	adminTokenFile string
	accessLog      string
	logLevel       slog.Level
}

func (o *options) flags(f *pflag.FlagSet) {
	f.StringVarP(&o.topology, "topology", "t", "", "topology file (required)")
	f.StringVar(&o.http, "http", "", "address for plain HTTP/1.1 and HTTP/2 with prior knowledge, as in :8080")
	f.StringVar(&o.https, "https", "", "address for HTTPS, as in :8443")
	f.StringVar(&o.cert, "cert", "", "PEM file of the certificate for --https, with its chain")
	f.StringVar(&o.key, "key", "", "PEM file of its private key")
	if o.features.ACME != nil {
		o.acme.flags(f)
	}
	if o.features.HTTP3 != nil {
		o.http3.flags(f)
	}
	f.StringVar(&o.admin, "admin", "", "address of the admin port, as in 127.0.0.1:8900")
	f.StringVar(&o.adminTokenFile, "admin-token-file", "", "file with the token that the admin port asks for; needed unless it is on loopback")
	f.StringVar(&o.accessLog, "access-log", "-", "file for the access log, appended to, opened anew on SIGHUP; - for standard output, off for none")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error, for the log on standard error")
}

// check says what is wrong with the flags before anything is opened.
func (o *options) check() error {
	switch {
	case o.topology == "":
		return errors.New("name the topology file: -t FILE")
	case o.http == "" && o.https == "":
		return errors.New("nothing to listen on: give --http ADDR, --https ADDR or both")
	}
	if err := o.checkAddresses(); err != nil {
		return err
	}
	switch {
	case o.admin != "" && o.adminTokenFile == "" && !serve.Loopback(o.admin):
		return fmt.Errorf("the admin port %s can be reached from other machines: give --admin-token-file FILE, or listen on 127.0.0.1", o.admin)
	case o.admin == "" && o.adminTokenFile != "":
		return errors.New("--admin-token-file is for --admin ADDR, which is not given")
	}
	if err := o.checkHTTP3(); err != nil {
		return err
	}
	return o.checkCertificates()
}

// checkCertificates says what is missing for HTTPS, or too much without it.
func (o *options) checkCertificates() error {
	acme := len(o.acme.domains) > 0
	files := o.cert != "" || o.key != ""
	switch {
	case o.https == "" && files:
		return errors.New("--cert and --key are for --https ADDR, which is not given")
	case o.https == "" && acme:
		return errors.New("--acme-domain is for --https ADDR, which is not given")
	case files && (o.cert == "" || o.key == ""):
		return errors.New("--cert FILE and --key FILE belong together, and one is missing")
	case o.https != "" && !files && !acme && o.features.ACME != nil:
		return errors.New("--https needs --cert FILE and --key FILE, or --acme-domain NAME")
	case o.https != "" && !files && !acme:
		return errors.New("--https needs --cert FILE and --key FILE")
	}
	return o.acme.check()
}

// openAccessLog opens where the access log goes, nil for nowhere. file is nil
// when that is none.
func (o *options) openAccessLog(stdout io.Writer) (to io.Writer, file *logFile, err error) {
	switch o.accessLog {
	case "-":
		return stdout, nil, nil
	case "off", "":
		return nil, nil, nil
	}
	file, err = openLogFile(o.accessLog)
	return file, file, err
}
