package explain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/explain"
)

// wire is a request as curl sends it, without the headers that it always adds.
func wire(in *explain.Input) string {
	var b strings.Builder
	b.WriteString(in.Method + " " + in.Scheme + " " + in.Target + "\n")
	for _, f := range in.Fields {
		if line := f.Name + ": " + f.Value; line != "User-Agent: curl/8.0.0" && line != "Accept: */*" {
			b.WriteString(line + "\n")
		}
	}
	if in.HasBody {
		b.WriteString("\n" + string(in.Body))
	}
	if in.BodyUnknown {
		b.WriteString("(unknown)")
	}
	return b.String()
}

// TestParseCurl holds what curl 7.88 was seen to send.
func TestParseCurl(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded\n"
	for _, c := range []struct {
		name, args, want string
	}{
		{"default port", "http://H.Test:80", "GET http /\nHost: H.Test\n"},
		{"query without path, fragment", "http://h.test.:8080?x=1#f", "GET http /?x=1\nHost: h.test.:8080\n"},
		{"dots are removed", "h.test/a/../b/./c/%2e%2e/d/..?q=/../x", "GET http /b/c/%2e%2e/?q=/../x\nHost: h.test\n"},
		{"dots are kept", "--path-as-is h.test/a/../b/./c", "GET http /a/../b/./c\nHost: h.test\n"},
		{"repeated slashes", "h.test/a//b/../../c", "GET http /a/c\nHost: h.test\n"},
		{"path outside ASCII", "h.test/é?x=é", "GET http /%C3%A9?x=é\nHost: h.test\n"},
		{"empty brackets", "h.test/?a[]=1", "GET http /?a[]=1\nHost: h.test\n"},
		{"no globbing", `-g h.test/?a={"b":[1]}`, "GET http /?a={\"b\":[1]}\nHost: h.test\n"},
		{"escaped glob", `h.test/\{x`, "GET http /{x\nHost: h.test\n"},
		{"odd target", "http://h.test/%zz?%&&x=1;y=2+3", "GET http /%zz?%&&x=1;y=2+3\nHost: h.test\n"},
		{"bare question mark", "h.test?", "GET http /?\nHost: h.test\n"},
		{"slashes after the scheme", "http:/h.test/x", "GET http /x\nHost: h.test\n"},
		{"three slashes", "HTTP:///h.test:00080/x", "GET http /x\nHost: h.test\n"},
		{"IPv6", "http://[::1]:8080/", "GET http /\nHost: [::1]:8080\n"},
		{"IPv6 zone", "http://[fe80::1%25eth0]/", "GET http /\nHost: [fe80::1]\n"},
		{"short IPv4", "http://127.1/", "GET http /\nHost: 127.0.0.1\n"},
		{"IPv4 in one number", "http://0x7f000001/", "GET http /\nHost: 127.0.0.1\n"},
		{"escaped host", "ex%61mple.test/", "GET http /\nHost: example.test\n"},
		{"default scheme", "--proto-default https h.test:443", "GET https /\nHost: h.test\n"},

		{"data", "-d a=1 -d b=2 h.test", "POST http /\nHost: h.test\nContent-Length: 7\n" + form + "\na=1&b=2"},
		{"data raw", "--data-raw @a h.test", "POST http /\nHost: h.test\nContent-Length: 2\n" + form + "\n@a"},
		{"data file", "-d @a h.test", "POST http /\nHost: h.test\n" + form + "\n(unknown)"},
		{"data urlencode", "--data-urlencode =é --data-urlencode c/d --data-urlencode e=f/g~* h.test",
			"POST http /\nHost: h.test\nContent-Length: 24\n" + form + "\n%C3%A9&c%2Fd&e=f%2Fg~%2A"},
		{"get", "-G -d a=1 --data-urlencode b=/ h.test/p?q=1", "GET http /p?q=1&a=1&b=%2F\nHost: h.test\n"},
		{"head", "-I -G -d a=1 h.test", "HEAD http /?a=1\nHost: h.test\n"},
		{"url query", "--url-query a=/ --url-query +d=%20 h.test/?z", "GET http /?z&a=%2F&d=%20\nHost: h.test\n"},
		{"option as value", "-d -d h.test", "POST http /\nHost: h.test\nContent-Length: 2\n" + form + "\n-d"},
		{"form", "-F a=b -G -H Content-Type:x h.test", "POST http /\nHost: h.test\nContent-Length: 137\nContent-Type: x; boundary=------------------------0000000000000000\n\n" +
			"--------------------------0000000000000000\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--------------------------0000000000000000--\r\n"},
		{"json", `--json {"a":1} --json x h.test`, "POST http /\nHost: h.test\nContent-Type: application/json\nAccept: application/json\nContent-Length: 8\n\n{\"a\":1}x"},
		{"method", "-sSXpost -d= h.test", "post http /\nHost: h.test\nContent-Length: 1\n" + form + "\n="},
		{"upload", "-T a/b.txt h.test/dir/", "PUT http /dir/b.txt\nHost: h.test\n\n(unknown)"},
		{"upload stdin", "-T - h.test/dir/", "PUT http /dir/\nHost: h.test\nTransfer-Encoding: chunked\n\n(unknown)"},
		{"request target", "--request-target http://x/y h.test", "GET http http://x/y\nHost: h.test\n"},

		{"own headers", "-d a=1 -H Content-Type:text/plain -H Host:other -H host:third -H X-Empty; -H X-None: -H Accept: -H noColon h.test",
			"POST http /\nHost: other\nContent-Type: text/plain\nX-Empty: \nContent-Length: 3\n\na=1"},
		{"own authorization wins", "-H Authorization:x -u a:b -b c=d -H Cookie:e=f h.test", "GET http /\nHost: h.test\nAuthorization: x\nCookie: e=f\n"},
		{"authorization removed", "-H Authorization: -u a:b h.test", "GET http /\nHost: h.test\n"},
		{"two authorizations", "-H Authorization:a -H authorization:b h.test", "GET http /\nHost: h.test\nAuthorization: a\nauthorization: b\n"},
		{"host removed", "-H Host: h.test", "GET http /\n"},
		{"host emptied", "-H Host; h.test", "GET http /\nHost: \n"},
		{"order of the options' headers", "-u a:b -b c=d -b e=f -A me -e http://ref/;auto --compressed -r 0-5 h.test",
			"GET http /\nHost: h.test\nAuthorization: Basic YTpi\nRange: bytes=0-5\nUser-Agent: me\nAccept-Encoding: deflate, gzip, br, zstd\nReferer: http://ref/\nCookie: c=d; e=f\n"},
		{"bearer before user", "--oauth2-bearer tok -u a:b h.test", "GET http /\nHost: h.test\nAuthorization: Bearer tok\n"},
		{"user in URL", "http://u%40x:p%3aq@h.test/", "GET http /\nHost: h.test\nAuthorization: Basic dUB4OnA6cQ==\n"},
		{"user alone in URL", "http://u@h.test/", "GET http /\nHost: h.test\nAuthorization: Basic dTo=\n"},
		{"option before the user in URL", "-u a:b http://c:d@h.test/", "GET http /\nHost: h.test\nAuthorization: Basic YTpi\n"},
		{"digest waits", "--digest -u a:b h.test", "GET http /\nHost: h.test\n"},
		{"upgrade", "--http2 h.test", "GET http /\nHost: h.test\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\n"},
		{"no upgrade over TLS", "--http2 https://h.test", "GET https /\nHost: h.test\n"},
		{"options with values are not URLs", "-o out -w %{http_code} --resolve h.test:80:127.0.0.1 --connect-to ::127.0.0.1: -m 5 --cacert ca.pem --retry 3 h.test",
			"GET http /\nHost: h.test\n"},
		{"attached values", "-oout -HA:b -skm5 --no-location h.test", "GET http /\nHost: h.test\nA: b\n"},
		{"unique beginning", "--request-t /y --compressed-s --no-keepalive h.test", "GET http /y\nHost: h.test\n"},
		{"after --", "-- h.test", "GET http /\nHost: h.test\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := explain.ParseCurl(append([]string{"curl"}, strings.Fields(c.args)...))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 {
				t.Fatalf("%d requests", len(got))
			}
			if diff := cmp.Diff(c.want, wire(got[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseCurlRefuses(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "no URL"},
		{"-d a", "no URL"},
		{"h.test -X", "word 3: -X needs a value"},
		{"h.test --header", "word 3: --header needs a value"},
		{"--heder x h.test", "did you mean --header?"},
		{"--reques PUT h.test", "may be any of --request, --request-target"},
		{"--header=A:b h.test", "put a space between"},
		{"--expand-url x h.test", "with --url"},
		{"-é h.test", "word 2: this is not an option of curl"},
		{"-y1 -& h.test", "curl has no option -&"},
		{"- h.test", "a lone -"},
		{"a.test --next b.test", "--next begins another set"},
		{"--version", "print about itself"},
		{"-I -d a h.test", "-I and -d"},
		{"-d a -F b=c h.test", "-F and -d"},
		{"-d a -T b h.test", "-T and -d"},
		{"h.test/{id}", "takes a { in a URL for a list"},
		{"h.test/?a[0]=1", "takes a [ in a URL for a range"},
		{"h.test/x}", "refuses a }"},
		{"ftp://h.test/", "scheme other than http"},
		{"http:///", "no host"},
		{"bücher.test", "punycode"},
		{"http://u:p@x@h.test/", "as %40"},
		{"h.test:99999/", "port"},
		{"h.test:x/", "port"},
		{"-g http://[::1/", "closing ]"},
		{"-g http://[::1x]/", "no IPv6 address"},
		{"http://[::1/", "takes a [ in a URL for a range"},
		{"http://h.test\\x/", "no host name has"},
		{"-H Authorization: Bearer hunter2 https://h.test/", "is a quote missing"},
		{"-H Authorization: a.b.c https://h.test/", "put quotes around the whole header"},
	} {
		_, err := explain.ParseCurl(append([]string{"curl"}, strings.Fields(c.args)...))
		var input *explain.InputError
		if !errors.As(err, &input) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
	if _, err := explain.ParseCurl([]string{"wget", "h.test"}); err == nil {
		t.Error("wget is accepted")
	}
	if _, err := explain.ParseCurl([]string{"curl", "h.test/a b"}); err == nil {
		t.Error("a space in a URL is accepted")
	}
}

func TestParseCurlSeveralURLs(t *testing.T) {
	got, err := explain.ParseCurl([]string{"/usr/bin/curl", "-u", "a", "http://a.test/1", "--url", "b.test/2"})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if got[0].From != "curl, URL 1" || got[1].Target != "/2" {
		t.Errorf("%s %s", got[0].From, got[1].Target)
	}
	if len(got[0].Notes) != 1 || !strings.Contains(got[0].Notes[0], "asks for the password") {
		t.Error(got[0].Notes)
	}
}
