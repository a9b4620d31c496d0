package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"

	"github.com/homeward/homeward/topology"
)

// certificateLife is how long the development CA and its certificate are valid.
const certificateLife = 24 * time.Hour

// certify makes a development CA of its own and a certificate for every host of
// the topology and for this machine's own names. The CA's key is gone when it
// returns. ca is the CA's certificate in PEM.
func certify(t *topology.Topology, now time.Time) (leaf tls.Certificate, ca []byte, err error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, nil, err
	}
	authority := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Homeward demo, development CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		Subject:   pkix.Name{CommonName: t.Facade.Hosts[0]},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	server.DNSNames, server.IPAddresses = names(t)
	for _, c := range []*x509.Certificate{authority, server} {
		if c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
			return leaf, nil, err
		}
	}
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, caKey.Public(), caKey)
	if err != nil {
		return leaf, nil, fmt.Errorf("make the development CA: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, server, authority, key.Public(), caKey)
	if err != nil {
		return leaf, nil, fmt.Errorf("make the certificate: %w", err)
	}
	leaf = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return leaf, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), nil
}

// names are the names and addresses that the edge is called by.
func names(t *topology.Topology) (hosts []string, addresses []net.IP) {
	all := append(slices.Clone(t.Facade.Hosts), "localhost", "127.0.0.1", "::1")
	for i := range t.Cells {
		all = append(all, t.Cells[i].Hosts...)
	}
	for _, name := range all {
		if ip := net.ParseIP(name); ip == nil {
			hosts = append(hosts, name)
		} else {
			addresses = append(addresses, ip)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), slices.CompactFunc(addresses, net.IP.Equal)
}
