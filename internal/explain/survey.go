package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// maxSeen is the number of credentials of one request that are told of at most.
const maxSeen = 32

// survey tells of every credential in a request what it says alone: each part
// of the request that may hold one is decided on without the others, on a
// facade host, by the code that decides on the whole. So no rule about where a
// credential stands is written down a second time.
func survey(t *route.Table, r *route.Request) []Credential {
	s := surveyor{table: t, host: t.Topology().Facade.Hosts[0]}
	for _, f := range r.Fields {
		if !strings.EqualFold(f.Name, "Cookie") && !strings.EqualFold(f.Name, "Host") {
			s.ask(route.Request{Method: "GET", Target: "/", Fields: []route.Field{f}})
		}
	}
	path, query, _ := strings.Cut(r.Target, "?")
	for _, piece := range strings.FieldsFunc(query, func(c rune) bool { return c == '&' || c == ';' }) {
		s.ask(route.Request{Method: "GET", Target: "/?" + piece})
	}
	s.ask(route.Request{Method: "GET", Target: path})
	if r.BodyState == route.BodyWhole {
		s.body(r, path)
	}
	explicit := len(s.seen) > 0
	for _, f := range r.Fields {
		if strings.EqualFold(f.Name, "Cookie") {
			s.cookies(f, r.Host, explicit)
		}
	}
	return s.seen
}

type surveyor struct {
	table *route.Table
	host  string
	seen  []Credential
}

// ask adds the credential of a request that holds at most one.
func (s *surveyor) ask(r route.Request) {
	if len(s.seen) == maxSeen {
		return
	}
	r.Host = s.host
	d := s.table.Decide(&r)
	if d.Place != (topology.Place{}) && d.Fingerprint != 0 {
		s.seen = append(s.seen, describe(s.table, &d))
	}
}

// body asks about each field of a form or JSON body. The path must stay, since
// only declared ones have their bodies looked into; what it holds itself was
// asked about before.
func (s *surveyor) body(r *route.Request, path string) {
	ask := func(body []byte) {
		one := route.Request{Method: r.Method, Host: s.host, Target: path, Body: body, BodyState: route.BodyWhole}
		for _, f := range r.Fields {
			if strings.EqualFold(f.Name, "Content-Type") {
				one.Fields = append(one.Fields, f)
			}
		}
		d := s.table.Decide(&one)
		if (d.Place.Kind == topology.FormPlace || d.Place.Kind == topology.JSONPlace) && len(s.seen) < maxSeen {
			s.seen = append(s.seen, describe(s.table, &d))
		}
	}
	if !bytes.HasPrefix(bytes.TrimLeft(r.Body, " \t\r\n"), []byte("{")) {
		for _, piece := range bytes.FieldsFunc(r.Body, func(c rune) bool { return c == '&' || c == ';' }) {
			ask(piece)
		}
		return
	}
	dec := json.NewDecoder(bytes.NewReader(r.Body))
	if _, err := dec.Token(); err != nil {
		return
	}
	for dec.More() {
		var value json.RawMessage
		key, err := dec.Token()
		if err != nil || dec.Decode(&value) != nil {
			return
		}
		name, err := json.Marshal(key)
		if err != nil {
			return
		}
		ask(fmt.Appendf(nil, "{%s:%s}", name, value))
	}
}

// cookies tells of each declared cookie whether it counts.
func (s *surveyor) cookies(f route.Field, host string, explicit bool) {
	declared := map[string]bool{}
	for _, rule := range s.table.Topology().Credentials {
		for _, in := range rule.In {
			if p, err := topology.ParsePlace(in); err == nil && p.Kind == topology.CookiePlace {
				declared[p.Name] = true
			}
		}
	}
	counted := false
	for pair := range strings.SplitSeq(f.Value, ";") {
		pair = strings.Trim(pair, " \t")
		name, value, _ := strings.Cut(pair, "=")
		if !declared[name] || len(s.seen) == maxSeen {
			continue
		}
		one := route.Request{Method: "GET", Host: host, Target: "/", Fields: []route.Field{{Name: "Cookie", Value: pair}}}
		d := s.table.Decide(&one)
		c := describe(s.table, &d)
		place := topology.Place{Kind: topology.CookiePlace, Name: name}
		c.Place, c.Where = place.String(), where(place)
		counts := d.Place.Kind == topology.CookiePlace
		if !counts {
			c.Fingerprint = s.table.Fingerprint(value).String()
		}
		switch {
		case explicit:
			c.Ignored, c.Says = true, "is ignored, because the request has an explicit credential"
		case !counts:
			c.Ignored, c.Outcome, c.Says = true, route.Anonymous.String(), "is ignored: no rule finds a cell of the topology in it, or it is another cell's"
		case counted:
			c.Ignored, c.Says = true, "is ignored, because one before it counts"
		default:
			counted = true
		}
		s.seen = append(s.seen, c)
	}
}
