// Package differential holds the parser and the edge against other servers of
// HTTP/1.1: net/http and fasthttp. It is a module of its own, so that the
// latter is no dependency of Homeward.
package differential
