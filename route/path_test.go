package route_test

import (
	"testing"

	"github.com/homeward/homeward/route"
)

var normalPaths = []struct{ target, want string }{
	{"", "/"},
	{"/", "/"},
	{"*", "*"},
	{"*?a", "*"},
	{"?a=b", "/"},
	{"/a/b?c=/../d", "/a/b"},
	{"a", "/a"},
	{"/%61%2D%2e%5f%7Eb", "/a-._~b"},
	{"/a%2fb%3f", "/a%2Fb%3F"},
	{"/%zz%", "/%zz%"},
	{"/%2", "/%2"},
	{"/%2561", "/%2561"},
	{"/%%361", "/%%361"},
	{"/%6%31", "/%6%31"},
	{"/%%7e", "/%~"},
	{"//a///b//", "/a/b/"},
	{"/./a/./b/.", "/a/b/"},
	{"/a/b/../c", "/a/c"},
	{"/a/b/..", "/a/"},
	{"/..", "/"},
	{"/../../a", "/a"},
	{"/a//../b", "/b"},
	{"/a/%2e%2E/b", "/b"},
	{"/a/..%2fb", "/a/..%2Fb"},
	{"/...", "/..."},
	{"/.a/..b", "/.a/..b"},
	{"/a/b/c/d/e/f/g", "/a/b/c/d/e/f/g"},
	{"/abcdefg/./hijklmnop", "/abcdefg/hijklmnop"},
	{"/abcdef//hijklmnop", "/abcdef/hijklmnop"},
	{"/abcdefg//ijklmnop", "/abcdefg/ijklmnop"},
	{"/a;b/c=d,e", "/a;b/c=d,e"},
	{"/\xff\x00", "/\xff\x00"},
}

func TestAppendNormalPath(t *testing.T) {
	for _, c := range normalPaths {
		if got := string(route.AppendNormalPath(nil, c.target)); got != c.want {
			t.Errorf("normal form of %q = %q, want %q", c.target, got, c.want)
		}
	}
}

// TestFastPathAgrees holds the scan that spares most targets the work against
// the work itself, for a dot, a slash, an escape and a query at every offset.
func TestFastPathAgrees(t *testing.T) {
	top := demoLike()
	top.Paths = append(top.Paths, pathRuleTo("/abcdefghijklmnopqrstuvwxyz", "eu1"))
	table := compile(t, top)
	const path = "/abcdefghijklmnopqrstuvwxyz"
	for at := 1; at <= len(path); at++ {
		for insert, same := range map[string]bool{"%": false, ".": false, "/": at == 1, "/.": false, "./": at == 1, "?": at == len(path), "?/./%": at == len(path), "=": false} {
			r := request("GET", path[:at]+insert+path[at:])
			if got := table.Decide(r).Path != route.None; got != same {
				t.Errorf("%q matches the path rule: %v, want %v", r.Target, got, same)
			}
		}
		encoded := request("GET", path[:at-1]+percent(path[at-1:at])+path[at:])
		if got := table.Decide(encoded).Path != route.None; got != (at != 1) {
			t.Errorf("%q matches the path rule: %v", encoded.Target, got)
		}
	}
}

func TestPathSet(t *testing.T) {
	some := route.NewPathSet([]string{"/crm/*", "/x"})
	for target, want := range map[string]bool{
		"/x": true, "/x?a=/crm/": true, "/%78": true, "//x": true, "/y/../x": true, "/x/": false, "/xy": false,
		"/crm/a": true, "/crm/": true, "/crm": false, "/crm/../y": false, "/c%72m/b": true, "/crm%2Fb": false,
		"": false, "*": false, "?": false,
	} {
		if got := some.Match(target); got != want {
			t.Errorf("%q matches: %v, want %v", target, got, want)
		}
	}
	for _, all := range []route.PathSet{{}, route.NewPathSet(nil)} {
		if !all.Match("/x") || !all.Match("*") {
			t.Error("a set without paths does not stand for all")
		}
	}
}
