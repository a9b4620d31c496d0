// Package arch holds no code: its tests are the rules of the house, such as
// who may import whom, who may read flags, and how long a function may get.
//
// Each rule is also tried on small samples that break it, so that no rule can
// pass because it looks at nothing. What a rule lets through on purpose stands
// with its reason in exceptions_test.go.
package arch
