package proxy

import (
	"strconv"
	"strings"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// cors is what the edge answers to browsers (WHATWG Fetch, section CORS protocol).
type cors struct {
	any         bool
	origins     map[string]bool
	wildcards   [][2]string // scheme with "://", and "." with the rest
	methods     string
	headers     string // "" for those the browser asks for
	expose      string
	credentials bool
	maxAge      string
}

func newCORS(d *topology.CORS) *cors {
	if d == nil {
		return nil
	}
	c := &cors{
		origins: map[string]bool{}, credentials: d.Credentials,
		methods: strings.Join(d.Methods, ", "), headers: strings.Join(d.Headers, ", "),
		expose: strings.Join(append([]string{"Homeward-Error", "X-Request-Id", "Retry-After"}, d.ExposeHeaders...), ", "),
		maxAge: strconv.Itoa(int(d.MaxAge.Std().Seconds())),
	}
	for _, o := range d.Origins {
		scheme, host, _ := strings.Cut(strings.ToLower(o), "://*.")
		switch {
		case o == "*":
			c.any = true
		case host != "":
			c.wildcards = append(c.wildcards, [2]string{scheme + "://", "." + host})
		default:
			c.origins[strings.ToLower(o)] = true
		}
	}
	return c
}

// allows reports whether an origin may read answers. Browsers send origins in
// small letters.
func (c *cors) allows(origin string) bool {
	if c.any || c.origins[origin] {
		return true
	}
	for _, w := range c.wildcards {
		rest, ok := strings.CutPrefix(origin, w[0])
		if ok && len(rest) > len(w[1]) && strings.HasSuffix(rest, w[1]) && !strings.ContainsAny(rest, "/@?#") {
			return true
		}
	}
	return false
}

// allow appends the fields that let scripts of the origin read an answer.
func (c *cors) allow(fields []route.Field, origin string) []route.Field {
	if c.any && !c.credentials {
		return append(fields, route.Field{Name: "Access-Control-Allow-Origin", Value: "*"})
	}
	fields = append(fields, route.Field{Name: "Access-Control-Allow-Origin", Value: origin})
	if c.credentials {
		fields = append(fields, route.Field{Name: "Access-Control-Allow-Credentials", Value: "true"})
	}
	return fields
}

// CORSFields appends what an answer of the edge's own must carry so that a
// script of a declared origin can read it, instead of a false CORS error.
func (s *State) CORSFields(fields []route.Field, host string, request []route.Field) []route.Field {
	if s.cors == nil || !s.knows(host) {
		return fields
	}
	fields = append(fields, route.Field{Name: "Vary", Value: "Origin"})
	origin := first(request, "Origin")
	if origin == "" || !s.cors.allows(origin) {
		return fields
	}
	fields = s.cors.allow(fields, origin)
	return append(fields, route.Field{Name: "Access-Control-Expose-Headers", Value: s.cors.expose})
}

// Preflight is the answer to a CORS preflight for a facade or cell host, which
// the edge gives without asking a cell: a preflight carries no credential. ok is
// false when the request is none, when the topology declares no CORS, or while
// it only observes.
func (s *State) Preflight(method, host string, request []route.Field) (fields []route.Field, ok bool) {
	if method != "OPTIONS" || s.cors == nil || s.Table.Mode() == topology.Observe || !s.knows(host) {
		return nil, false
	}
	origin, asked := first(request, "Origin"), first(request, "Access-Control-Request-Method")
	if origin == "" || asked == "" {
		return nil, false
	}
	fields = []route.Field{{Name: "Vary", Value: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}}
	if !s.cors.allows(origin) {
		return fields, true // without the permission the browser stops here
	}
	fields = s.cors.allow(fields, origin)
	fields = append(fields, route.Field{Name: "Access-Control-Allow-Methods", Value: s.cors.methods})
	headers := s.cors.headers
	if headers == "" {
		headers = first(request, "Access-Control-Request-Headers")
	}
	if headers != "" {
		fields = append(fields, route.Field{Name: "Access-Control-Allow-Headers", Value: headers})
	}
	return append(fields, route.Field{Name: "Access-Control-Max-Age", Value: s.cors.maxAge}), true
}

func (s *State) knows(host string) bool {
	kind, _ := s.Table.HostKind(host)
	return kind != route.OtherHost
}

func first(fields []route.Field, name string) string {
	for _, f := range fields {
		if http1.Same(f.Name, name) {
			return f.Value
		}
	}
	return ""
}
