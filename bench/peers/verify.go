package peers

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Verify asks a proxy for everything that will be measured, and says what it
// answers otherwise than it must: the status, the length, the cell that the
// token names, the version of TLS and of HTTP.
func (s *Setup) Verify(ctx context.Context, p *Proxy) error {
	for i := range s.Tokens {
		for _, t := range []trial{
			{path: SmallPath, size: SmallSize},
			{path: LargePath, size: LargeSize},
			{path: SmallPath, size: SmallSize, body: make([]byte, 16<<10)},
			{path: SmallPath, size: SmallSize, tls: true},
			{path: SmallPath, size: SmallSize, tls: true, http2: true},
		} {
			if err := s.try(ctx, p, i, t); err != nil {
				return fmt.Errorf("%s does not do the work that is measured: %w", p.Name, err)
			}
		}
	}
	return nil
}

type trial struct {
	path       string
	size       int
	body       []byte
	tls, http2 bool
}

func (s *Setup) try(ctx context.Context, p *Proxy, i int, t trial) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var protocols http.Protocols
	protocols.SetHTTP1(!t.http2)
	protocols.SetHTTP2(t.http2)
	transport := &http.Transport{Protocols: &protocols, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: Host}} // made for this run, and not what is compared
	defer transport.CloseIdleConnections()
	method, url := http.MethodGet, "http://"+p.Plain+t.path
	if t.body != nil {
		method = http.MethodPost
	}
	if t.tls {
		url = "https://" + p.TLS + t.path
	}
	what := fmt.Sprintf("%s %s for %s", method, url, s.CellNames[i])
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(t.body))
	if err != nil {
		return err
	}
	req.Host = Host
	req.Header.Set("Authorization", "Bearer "+s.Tokens[i])
	res, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: status %d instead of 200", what, res.StatusCode)
	case n != int64(t.size):
		return fmt.Errorf("%s: %d bytes instead of %d", what, n, t.size)
	case res.Header.Get("X-Cell") != s.CellNames[i]:
		return fmt.Errorf("%s: answered by cell %q", what, res.Header.Get("X-Cell"))
	case t.tls && res.TLS.Version != tls.VersionTLS13:
		return fmt.Errorf("%s: over %s", what, tls.VersionName(res.TLS.Version))
	case t.tls && res.TLS.CipherSuite != tls.TLS_AES_128_GCM_SHA256:
		return fmt.Errorf("%s: encrypted with %s", what, tls.CipherSuiteName(res.TLS.CipherSuite))
	case t.http2 != (res.ProtoMajor == 2):
		return fmt.Errorf("%s: over %s", what, res.Proto)
	}
	return nil
}

// reachable says which of the addresses takes no connections.
func reachable(addresses []string) error {
	var all []error
	for _, address := range addresses {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			all = append(all, err)
			continue
		}
		all = append(all, conn.Close())
	}
	return errors.Join(all...)
}
