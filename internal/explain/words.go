package explain

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// where is a place for people: bearer in Authorization, path segment 4.
func where(p topology.Place) string {
	switch p.Kind {
	case topology.Bearer:
		return "bearer in Authorization"
	case topology.BasicUsername:
		return "user name of Basic in Authorization"
	case topology.BasicPassword:
		return "password of Basic in Authorization"
	case topology.HeaderPlace:
		if strings.EqualFold(p.Name, "Authorization") {
			return "Authorization, read neither as bearer nor by a Basic rule"
		}
		return "header " + p.Name
	case topology.PathPlace:
		before, _, _ := strings.Cut(p.Name, topology.CredentialSegment)
		return "path segment " + strconv.Itoa(strings.Count(before, "/")) + " of " + p.Name
	case topology.FormPlace:
		return "form field " + p.Name
	case topology.JSONPlace:
		return "JSON field " + p.Name
	}
	return p.String()
}

// describe tells of the credential of a decision.
func describe(t *route.Table, d *route.Decision) Credential {
	c := Credential{
		Place: d.Place.String(), Where: where(d.Place), Fingerprint: d.Fingerprint.String(),
		Outcome: d.Outcome.String(), Names: d.Named.String(), Epoch: d.Epoch,
	}
	if rule := t.Rule(d.Rule); rule != nil {
		c.Rule = rule.Name
		if f, err := rule.Format(); err == nil {
			c.Format = f.String()
		}
	}
	if d.HasAccount {
		c.Account = d.Account.String()
	}
	if d.Reason == route.ByOverride {
		c.Moved = cellName(t, d.Cell)
	}
	c.Says = says(t, d)
	return c
}

// says is what a credential says, as a clause after "it".
func says(t *route.Table, d *route.Decision) string {
	switch {
	case d.Reason == route.ByOverride && d.Named.IsZero():
		return "names no cell, and an override sends it to " + cellName(t, d.Cell)
	case d.Reason == route.ByOverride:
		return "names " + d.Named.String() + ", and an override sends it to " + cellName(t, d.Cell)
	case d.Outcome == route.Home:
		return "names " + d.Named.String()
	case d.Outcome == route.Malformed:
		return "is broken: " + d.Detail.String()
	case d.Reason == route.CellIDNotMapped:
		return "names a cell by an id that the rule does not map"
	case d.Outcome == route.UnknownCell:
		return "names " + d.Named.String() + ", which is not in the topology"
	case d.Outcome == route.Legacy && d.Rule == route.None:
		return "is claimed by no rule"
	case d.Outcome == route.Legacy:
		return "names no cell"
	case d.Reason == route.TwoReadings:
		return "may be read in two ways"
	case !d.Named.IsZero(): // conflict, misrouted
		return "names " + d.Named.String()
	}
	return d.Reason.String()
}

// why is the decision in one sentence, and a second one when the request is
// not sent where it was decided to go.
func why(t *route.Table, d *route.Decision, r *Report) string {
	text := because(t, d, r.Host.Cell)
	legacy := cellName(t, t.LegacyCell())
	switch {
	case r.Held == "observe" && d.Outcome.Refusal():
		text += " The topology only observes, so it is sent to " + r.Send + " all the same."
	case r.Held == "observe" && d.Cell != d.Send:
		text += " The topology only observes, so it is sent to the legacy cell " + legacy + "."
	case r.Held == "share":
		text += " The share of " + r.Cell + " is " + r.Share + "% and leaves it out, so it is sent to the legacy cell " + legacy + "."
	}
	return text
}

// because is the step that settled the decision. host is the cell whose host was
// asked, if any.
func because(t *route.Table, d *route.Decision, host string) string {
	place, cell := where(d.Place), cellName(t, d.Cell)
	switch d.Reason {
	case route.ByCredential:
		return fmt.Sprintf("The credential (%s) names %s, a cell of the topology.", place, cell)
	case route.ByOverride:
		return fmt.Sprintf("The credential (%s) %s.", place, says(t, d))
	case route.ByCellHost:
		switch d.Outcome {
		case route.Home:
			return fmt.Sprintf("The host is one of %s, and the credential (%s) belongs there.", cell, place)
		case route.Legacy:
			return fmt.Sprintf("The host is one of %s, and the credential (%s) names no cell.", cell, place)
		}
		return fmt.Sprintf("The host is one of %s, and there is no credential.", cell)
	case route.ByPath:
		return fmt.Sprintf("There is no credential, and the path rule %s sends it to %s.", t.PathRule(d.Path).Path, cell)
	case route.ByRuleLegacy:
		return fmt.Sprintf("The credential (%s) names no cell, and its rule's legacy cell is %s.", place, cell)
	case route.ByLegacy:
		if d.Outcome == route.Anonymous {
			return fmt.Sprintf("There is no credential and no path rule matches, so the legacy cell %s serves it.", cell)
		}
		return fmt.Sprintf("The credential (%s) %s, so the legacy cell %s serves it.", place, says(t, d), cell)
	case route.BrokenCredential, route.CellNotDeclared, route.CellIDNotMapped:
		return fmt.Sprintf("The credential (%s) %s.", place, says(t, d))
	case route.TwoCells:
		return fmt.Sprintf("Two credentials (%s; %s) belong to two cells.", place, where(d.Other))
	case route.RepeatedAuthorization:
		return "There is more than one Authorization header, and the edge and a cell might read different ones."
	case route.RepeatedCredential:
		return fmt.Sprintf("The credential's place (%s) is there twice, and the edge and a cell might read different ones.", place)
	case route.TwoReadings:
		if d.Place == (topology.Place{}) {
			return "There is more than one Content-Type on a path whose bodies are looked into."
		}
		return fmt.Sprintf("The credential (%s) stands beside a ';', where some origins split parameters and others do not.", place)
	case route.OtherCellHost:
		if d.Named.String() == host || t.CellIndex(d.Named) == route.None { // not what the credential itself says
			return fmt.Sprintf("An override sends the credential (%s) to another cell than the host's.", place)
		}
		return fmt.Sprintf("The credential (%s) %s, and belongs to another cell than the host's.", place, says(t, d))
	}
	text := d.Reason.String()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// showMethod is a method as it may be shown: words in capitals.
func showMethod(s string) string {
	if s == "" || len(s) > 20 {
		return hidden
	}
	for i := 0; i < len(s); i++ {
		if (s[i] < 'A' || s[i] > 'Z') && s[i] != '-' {
			return hidden
		}
	}
	return s
}

// showHost is a host that is not in the topology as it may be shown. A word
// that is none, such as a credential that lost its quotes, is hidden.
func showHost(s string) string {
	if address, ok := strings.CutPrefix(s, "["); ok {
		address, _, _ = strings.Cut(address, "]")
		if ip, err := netip.ParseAddr(address); err != nil || ip.Zone() != "" { // a zone is free text
			return hidden
		}
		return "[" + address + "]"
	}
	name, _, _ := strings.Cut(s, ":")
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	for _, l := range labels {
		if l == "" || len(l) > 30 || strings.ContainsFunc(l, func(c rune) bool {
			return c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
		}) {
			return hidden
		}
	}
	top := labels[len(labels)-1]
	if len(labels) < 2 || len(top) > 18 || strings.ContainsAny(top, "0123456789") {
		return hidden
	}
	return name
}

// showTarget is a target as it may be shown: the path without credentials, and
// the names of the query's parameters without their values.
func showTarget(t *route.Table, target string) string {
	if target == hidden {
		return hidden
	}
	path := t.RedactPath(target)
	_, query, ok := strings.Cut(target, "?")
	if !ok {
		return path
	}
	var b strings.Builder
	b.WriteString(path + "?")
	for i, piece := range strings.Split(query, "&") {
		if i > 0 {
			b.WriteByte('&')
		}
		if i == 20 {
			b.WriteString(hidden)
			break
		}
		name, _, valued := strings.Cut(piece, "=")
		switch {
		case piece == "":
		case !valued:
			b.WriteString(hidden)
		case strings.Contains(piece, ";") || !paramName(name):
			b.WriteString(hidden + "=" + hidden)
		default:
			b.WriteString(strings.TrimPrefix(t.RedactTarget("/?"+name), "/?") + "=" + hidden)
		}
	}
	return b.String()
}

func paramName(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte("-_.[]%", c) < 0 {
			return false
		}
	}
	return true
}
