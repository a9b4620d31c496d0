package demo

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// account is a sample account.
type account struct {
	id   cell.Account
	name string
	home cell.Name
}

func accounts() []account {
	return []account{
		{1001, "Blue Bicycle", cell.MustName("na1")},
		{2002, "Green Kettle", cell.MustName("na2")},
		{3003, "Rote Laterne", cell.MustName("eu1")},
	}
}

// mint makes credentials of the topology's rules, new ones each time. The first
// error stays.
type mint struct {
	top *topology.Topology
	err error
}

func (m *mint) format(rule string) credential.Format {
	for i := range m.top.Credentials {
		if r := &m.top.Credentials[i]; r.Name == rule {
			f, err := r.Format()
			m.fail(rule, err)
			return f
		}
	}
	m.fail(rule, fmt.Errorf("the topology has no such rule"))
	return nil
}

func (m *mint) fail(rule string, err error) {
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("mint a credential of the rule %s: %w", rule, err)
	}
}

// of is a new credential of the rule; an empty home makes one that names no
// cell.
func (m *mint) of(rule, home string) (text string) {
	var c cell.Name
	var err error
	if home != "" {
		if c, err = cell.ParseName(home); err != nil {
			m.fail(rule, err)
			return ""
		}
	}
	switch f := m.format(rule).(type) {
	case *credential.Pattern:
		fields := credential.Fields{Cell: c}
		if rule == "session" {
			fields.Rest = m.random(16)
		}
		text, err = f.Mint(nil, fields)
	case *credential.Homeward:
		text, err = f.Mint(nil, c, m.accountIn(c))
	case *credential.GitLabRoutable:
		text, err = f.Mint(nil, credential.GitLabToken{Cell: c, Version: 1, Prefix: "glpat-"})
	case *credential.Protobuf:
		text, err = f.Mint(nil, c, nil)
	case *credential.JWT:
		var signer credential.Signer
		if signer, err = credential.HS256([]byte(m.random(32))); err == nil {
			text, err = f.Mint(nil, c, map[string]any{"sub": m.accountIn(c).String()}, signer)
		}
	}
	m.fail(rule, err)
	return text
}

func (m *mint) accountIn(c cell.Name) cell.Account {
	for _, a := range accounts() {
		if a.home == c {
			return a.id
		}
	}
	return 0
}

// random is a text of n random bytes in hex.
func (m *mint) random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// opaque is a credential that no rule claims.
func (m *mint) opaque() string { return "opaque~" + m.random(16) }

// mistyped is the credential with its last character changed.
func mistyped(credential string) string {
	if credential == "" {
		return ""
	}
	last := byte('0')
	if credential[len(credential)-1] == last {
		last = '1'
	}
	return credential[:len(credential)-1] + string(last)
}
