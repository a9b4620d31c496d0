package main

import (
	"net/http"
	"testing"
)

// example is the key and the time of AWS's own test suite for Signature Version 4.
var example = scope{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z", "us-east-1", "service"}

func TestPublishedVectorsOfSigV4(t *testing.T) {
	type fields = http.Header
	for _, tc := range []struct {
		name, method, target, body string
		header                     fields
		signed                     []string
		want                       string
	}{
		{name: "get-vanilla", method: "GET", target: "/", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "get-vanilla-query-order-key-case", method: "GET", target: "/?Param2=value2&Param1=value1",
			want: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{name: "get-unreserved", method: "GET", target: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
			want: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{name: "get-header-key-duplicate", method: "GET", target: "/", header: fields{"My-Header1": {"value2", "value2", "value1"}}, signed: []string{"My-Header1"},
			want: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		{name: "post-vanilla", method: "POST", target: "/", want: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{name: "post-x-www-form-urlencoded", method: "POST", target: "/", body: "Param1=value1",
			header: fields{"Content-Type": {"application/x-www-form-urlencoded"}}, signed: []string{"Content-Type"},
			want: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := &message{method: tc.method, host: "example.amazonaws.com", target: tc.target, header: tc.header, body: []byte(tc.body)}
			if m.header == nil {
				m.header = fields{}
			}
			signSigV4(m, example, tc.signed...)
			if got := m.header.Get("Authorization"); got[len(got)-64:] != tc.want {
				t.Errorf("signed %s", got)
			}
			if err := verifySigV4(m, func(string) string { return example.secret }); err != nil {
				t.Error(err)
			}
			if verifySigV4(m, func(string) string { return example.secret + "x" }) == nil {
				t.Error("another secret verifies")
			}
		})
	}
}
