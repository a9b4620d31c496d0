package explain

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/homeward/homeward/route"
)

// harEntry is what a HAR entry has to say of its request.
type harEntry struct {
	Request *struct {
		Method      string     `json:"method"`
		URL         string     `json:"url"`
		HTTPVersion string     `json:"httpVersion"`
		Headers     []harPair  `json:"headers"`
		Cookies     []harPair  `json:"cookies"`
		PostData    *harPosted `json:"postData"`
		BodySize    float64    `json:"bodySize"`
	} `json:"request"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harPosted struct {
	MimeType string `json:"mimeType"`
	Text     string `json:"text"`
	Encoding string `json:"encoding"`
	Params   []struct {
		harPair
		FileName string `json:"fileName"`
	} `json:"params"`
}

// entry makes the request of an entry; where is its place in the file.
func (f *harFile) entry(e *harEntry, where string) error {
	q := e.Request
	if q == nil {
		return wrong(where+".request", "it is not there", "save the file again as HAR 1.2")
	}
	where += ".request"
	text := q.URL
	for from, to := range map[string]string{"ws://": "http://", "wss://": "https://"} {
		if rest, ok := strings.CutPrefix(text, from); ok {
			text = to + rest
			break
		}
	}
	switch scheme, _, ok := strings.Cut(text, ":"); {
	case q.Method == "":
		return wrong(where+".method", "it is missing or empty", "write the method, as in GET")
	case q.URL == "" || !ok:
		return wrong(where+".url", "it is not an absolute URL", "write it as https://HOST/PATH")
	case !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		f.skipped++
		return nil
	}
	a, err := splitURL(text, "", where+".url")
	if err != nil {
		return err
	}
	in := &Input{From: "entry " + strings.TrimSuffix(strings.TrimPrefix(where, "log.entries["), "].request"),
		Scheme: a.scheme, Method: q.Method, Target: a.path, Minor: 1}
	if in.Target == "" {
		in.Target = "/"
	}
	if a.hasQuery {
		in.Target += "?" + a.query
	}
	f.fields(in, a, q.Headers, q.Cookies)
	if q.PostData != nil {
		if err := posted(in, q.PostData, where+".postData"); err != nil {
			return err
		}
	} else if q.BodySize > 0 {
		in.HasBody, in.BodyUnknown = true, true
		in.note("the HAR leaves the body out: a credential in it is not seen")
	}
	f.inputs = append(f.inputs, in)
	return nil
}

// fields takes the header lines over, without the pseudo-headers of HTTP/2.
func (f *harFile) fields(in *Input, a *address, headers, cookies []harPair) {
	has := func(name string) bool {
		for _, h := range in.Fields {
			if strings.EqualFold(h.Name, name) {
				return true
			}
		}
		return false
	}
	host := a.host
	for _, h := range headers {
		switch {
		case strings.EqualFold(h.Name, ":authority"):
			host = h.Value
		case strings.HasPrefix(h.Name, ":"):
		default:
			in.Fields = append(in.Fields, route.Field{Name: h.Name, Value: h.Value})
		}
	}
	if !has("Host") {
		in.Fields = append([]route.Field{{Name: "Host", Value: host}}, in.Fields...)
	}
	if a.hasUser && !has("Authorization") {
		in.Fields = append(in.Fields, route.Field{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(a.user))})
	}
	if len(cookies) > 0 && !has("Cookie") {
		pairs := make([]string, len(cookies))
		for i, c := range cookies {
			pairs[i] = c.Name + "=" + c.Value
		}
		in.Fields = append(in.Fields, route.Field{Name: "Cookie", Value: strings.Join(pairs, "; ")})
	}
	f.secrets = f.secrets || has("Authorization") || has("Cookie")
}

// posted takes the body over: its text, else its parameters.
func posted(in *Input, p *harPosted, where string) error {
	in.HasBody = true
	switch {
	case p.Text == "" && len(p.Params) > 0:
		var pieces []string
		for _, x := range p.Params {
			if x.FileName != "" {
				in.BodyUnknown = true
			}
			pieces = append(pieces, url.QueryEscape(x.Name)+"="+url.QueryEscape(x.Value))
		}
		in.Body = []byte(strings.Join(pieces, "&"))
	case p.Encoding == "base64":
		b, err := base64.StdEncoding.DecodeString(p.Text)
		if err != nil {
			return wrong(where+".text", "it is not base64, which postData.encoding says it is", "remove the encoding if it is plain text")
		}
		in.Body = b
	case p.Encoding != "":
		return wrong(where+".encoding", "it is neither base64 nor empty", "write the text in base64")
	default:
		in.Body = []byte(p.Text)
	}
	if in.BodyUnknown {
		in.Body = nil
		in.note("the HAR leaves uploaded files out: a credential in them is not seen")
	}
	return nil
}
