package explain_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/explain"
)

// TestParseCommand holds commands as people paste them.
func TestParseCommand(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"chrome, bash", `curl 'https://api.homeward.test/crm/v3/objects?limit=10&after=%2F' \
  -H 'accept: application/json' \
  -H 'authorization: Bearer tok' \
  -b 'session=eu1.abc; theme=dark' \
  -H $'x-note: it\'s \u0021 \x41\101\n' \
  --data-raw $'{"a":"\\u00e9"}' \
  --compressed`, "POST https /crm/v3/objects?limit=10&after=%2F\nHost: api.homeward.test\nAccept-Encoding: deflate, gzip, br, zstd\nCookie: session=eu1.abc; theme=dark\n" +
			"accept: application/json\nauthorization: Bearer tok\nx-note: it's ! AA\n\nContent-Length: 14\nContent-Type: application/x-www-form-urlencoded\n\n{\"a\":\"\\u00e9\"}"},
		{"chrome, cmd", "curl ^\"https://api.homeward.test/a?b=1^&c=^%^2F^\" ^\r\n  -H ^\"accept: */*^\" ^\r\n  -H ^\"x-q: ^\\^\"quoted^\\^\"^\" ^\r\n  --data-raw ^\"a^\n\nb^\"",
			"POST https /a?b=1&c=%2F\nHost: api.homeward.test\naccept: */*\nx-q: \"quoted\"\nContent-Length: 3\nContent-Type: application/x-www-form-urlencoded\n\na\nb"},
		{"firefox", `curl 'https://api.homeward.test/a' --compressed -X POST -H 'User-Agent: Mozilla/5.0' -H 'Content-Type: application/x-www-form-urlencoded' -H 'Origin: https://app.homeward.test' --data-raw 'a=b'`,
			"POST https /a\nHost: api.homeward.test\nAccept-Encoding: deflate, gzip, br, zstd\nUser-Agent: Mozilla/5.0\nContent-Type: application/x-www-form-urlencoded\nOrigin: https://app.homeward.test\nContent-Length: 3\n\na=b"},
		{"postman", "curl --location --request POST 'https://api.homeward.test/oauth/v1/token' \\\n--header 'Content-Type: application/x-www-form-urlencoded' \\\n--data-urlencode 'grant_type=refresh_token' \\\n--data-urlencode 'refresh_token=a b'",
			"POST https /oauth/v1/token\nHost: api.homeward.test\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 42\n\ngrant_type=refresh_token&refresh_token=a+b"},
		{"docs", "$ curl -u user:\"pa ss\" \"https://api.homeward.test/a?x=\\$1\" | jq .  # all", "GET https /a?x=$1\nHost: api.homeward.test\nAuthorization: Basic dXNlcjpwYSBzcw==\n"},
		{"redirections", "curl -s h.test/a > out.json 2>/dev/null", "GET http /a\nHost: h.test\n"},
		{"comment and blank lines", "\n# call\ncurl h.test#a\n\n", "GET http /\nHost: h.test\n"},
		{"background", "curl h.test &", "GET http /\nHost: h.test\n"},
		{"trailing continuation", "curl h.test \\", "GET http /\nHost: h.test\n"},
		{"joined word", `curl h'.te'"st"/a\%'20'`, "GET http /a%20\nHost: h.test\n"},
		{"percent and dollar kept", `curl 'h.test/$HOME' -H "a: 5$"`, "GET http /$HOME\nHost: h.test\na: 5$\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := explain.ParseCommand(c.line)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, wire(got[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseCommandRefuses(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", "no command"},
		{`curl -H "Authorization: Bearer $TOKEN" h.test`, "expand it first"},
		{"curl h.test/$ID", "expand it first"},
		{"curl h.test/`id`", "expand it first"},
		{`curl "$(cat url)"`, "expand it first"},
		{"curl 'h.test", "line 1: the quote ' is not closed"},
		{"curl \\\n \"h.test", `line 2: the quote " is not closed`},
		{"curl $'h.test", "the quote $' is not closed"},
		{"curl h.test/?a=1&b=2", "put the URL into '…'"},
		{"curl h.test/?a=1;b=2", "put the URL into '…'"},
		{"curl h.test\n-H 'a: b'", `line 2: a shell ends the command before this line; end the line before it with a \`},
		{"curl -d @- h.test <<EOF\na\nEOF", "here-document"},
		{"curl “h.test”", "typographic quote"},
		{"curl –d a h.test", "long dash"},
		{"curl h.test/(x)", "parenthesis"},
		{"curl a>b h.test", "sends the output to a file"},
		{"curl ^\"h.test", `the quote " is not closed`},
		{"fetch('https://h.test')", "parenthesis"},
		{"http h.test", "not a curl command"},
		{"curl " + strings.Repeat("a", explain.MaxInput), "longer than 1 MiB"},
		{strings.Repeat("a ", 5000), "more than 4096 words"},
	} {
		if _, err := explain.ParseCommand(c.line); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: %v, want %q", c.line, err, c.want)
		}
	}
}

func TestParseCommandNotes(t *testing.T) {
	for line, want := range map[string]string{
		"curl h.test; echo":        "only the first command was read",
		"curl h.test\ncurl b.test": "only the first command was read",
		"curl h.test && x":         "only the first command was read",
		"curl -H @f h.test":        "the file of -H is not read: headers in it are not seen",
		"curl -b jar h.test":       "the file of -b is not read: cookies in it are not seen",
		"curl h.test/a/../b":       "curl removes the . and .. from the path; --path-as-is keeps them",
		"curl -x p h.test":         "the proxy is left out: the request is explained as the edge gets it",
		"curl -K c h.test":         "the file of -K is not read: options in it are not seen",
		"curl -n h.test":           "the netrc file is not read: a user in it is not seen",
	} {
		got, err := explain.ParseCommand(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if diff := cmp.Diff([]string{want}, got[0].Notes); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}
