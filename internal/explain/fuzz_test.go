package explain_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/explain"
	"github.com/homeward/homeward/internal/proxy"
)

// secret stands where credentials stand; nothing may ever show it.
const secret = "zq7secretzq7"

// hides fails if an error or a report shows the secret.
func hides(t *testing.T, state *proxy.State, inputs []*explain.Input, err error) {
	t.Helper()
	if err != nil {
		if strings.Contains(err.Error(), secret) {
			t.Fatalf("the error shows the secret: %v", err)
		}
		return
	}
	if len(inputs) == 0 || len(inputs) > explain.MaxHAREntries {
		t.Fatalf("%d requests", len(inputs))
	}
	var out bytes.Buffer
	for _, in := range inputs[:min(len(inputs), 10)] {
		report := []explain.Report{explain.Explain(state, in)}
		if report[0].Why == "" || report[0].Action == "" {
			t.Fatalf("an empty report: %+v", report[0])
		}
		if err := explain.WriteText(&out, report, true); err != nil {
			t.Fatal(err)
		}
		if err := explain.WriteJSON(&out, report); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(out.String(), secret) {
		t.Fatalf("the report shows the secret:\n%s", out.String())
	}
}

func FuzzParseCommand(f *testing.F) {
	state := world(f, nil)
	for _, v := range vectors(f) {
		f.Add(`curl -H 'Authorization: Bearer ` + v.Credential + `'`)
	}
	for _, line := range []string{
		`curl --compressed -X POST --data-raw $'a\'\x41\u0041\101'`, "curl ^\"https://api.homeward.test/^\" ^\r\n -H ^\"a: ^\\^\"b^\\^\"^\"",
		"curl \\\n -sS \"a\\\"b\" 'c'", "$ curl -b session=eu1.abc", "curl -F a=b 2>x", "curl ${a} `b`", "curl -d a -G -I --json {}", "#\ncurl --http2 -0",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		inputs, err := explain.ParseCommand(line + ` -H 'X-Api-Key: ` + secret + `' -u 'me:` + secret + `' -b 'a=` + secret + `' 'https://api.homeward.test/p?hapikey=` + secret + `'`)
		hides(t, state, inputs, err)
	})
}

func FuzzParseCurl(f *testing.F) {
	state := world(f, nil)
	for _, v := range vectors(f) {
		f.Add("-H\x00Authorization: Bearer " + v.Credential)
		f.Add("-u\x00" + v.Credential + ":\x00-k")
	}
	for _, args := range []string{
		"-sSkXPOST\x00-d@f", "--json\x00{\"code\":1}\x00--path-as-is", "-T\x00f\x00--request-target\x00*", "-H\x00Host;\x00-H\x00a\x00-H\x00b:",
		"https://u:p@[::1]:80/a/../b?c#d\x00--url\x00localhost", "--next", "--reques\x00x", "-G\x00--data-urlencode\x00a@b",
	} {
		f.Add(args)
	}
	f.Fuzz(func(t *testing.T, args string) {
		all := append([]string{"curl"}, strings.Split(args, "\x00")...)
		all = append(all, "-H", "X-Api-Key: "+secret, "-u", "me:"+secret, "--oauth2-bearer", secret, "https://api.homeward.test/p?hapikey="+secret)
		inputs, err := explain.ParseCurl(all)
		hides(t, state, inputs, err)
	})
}

func FuzzParseHAR(f *testing.F) {
	state := world(f, nil)
	for _, v := range vectors(f)[:20] {
		f.Add(`{"name":"authorization","value":"Bearer `+v.Credential+`"}`, `"text":"code=`+v.Credential+`"`)
	}
	f.Add(`{"name":":authority","value":"localhost"}`, `"params":[{"name":"a","value":"b","fileName":"c"}]`)
	f.Add(`{"name":"Host","value":"a"},{"name":"host","value":"b"}`, `"text":"YQ==","encoding":"base64"`)
	f.Add(`{"name":"a\nb","value":"\u0000"}`, `"text":5`)
	f.Fuzz(func(t *testing.T, headers, post string) {
		text := har(`{"method":"POST","url":"https://api.homeward.test/oauth/v1/token?hapikey=` + secret + `","headers":[{"name":"X-Api-Key","value":"` +
			secret + `"},` + headers + `],"cookies":[{"name":"a","value":"` + secret + `"}],"postData":{` + post + `}}`)
		inputs, err := explain.ParseHAR(strings.NewReader(text))
		hides(t, state, inputs, err)
	})
}
