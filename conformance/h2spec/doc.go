// Package h2spec holds the edge against h2spec, a test suite of HTTP/2 and HPACK.
// It is a module of its own, so that the suite is no dependency of Homeward.
package h2spec
