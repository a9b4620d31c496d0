package explain

import (
	"slices"
	"strings"
)

// withValue lists curl's long options that take a value, flags those that take
// none (without the "no-" that reverses one). Both hold every documented
// option up to curl 8.17, so that no value is taken for a URL and no URL for a
// value; source: the option list of curl's manual.
const (
	withValue = " abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout " +
		"connect-to continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary data-raw " +
		"data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech " +
		"egd-file engine etag-compare etag-save expect100-timeout form form-string ftp-account " +
		"ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip " +
		"header hostpubmd5 hostpubsha256 hsts interface ip-tos ipfs-gateway json keepalive-cnt keepalive-time key " +
		"key-type knownhosts krb krb4 libcurl limit-rate local-port login-options mail-auth mail-from mail-rcpt " +
		"max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir parallel-max " +
		"parallel-max-host pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-capath " +
		"proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass " +
		"proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser " +
		"proxy-user proxy1.0 pubkey quote random-file range rate referer request request-target resolve retry " +
		"retry-delay retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service " +
		"socks5-hostname speed-limit speed-time ssl-sessions stderr telnet-option tftp-blksize time-cond tls-max " +
		"tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket upload-file " +
		"upload-flags url url-query user user-agent variable vlan-priority write-out "

	flags = " alpn anyauth append basic buffer ca-native cert-status clobber compressed compressed-ssh create-dirs crlf " +
		"digest disable disable-eprt disable-epsv disallow-username-in-url doh-cert-status doh-insecure dump-ca-embed " +
		"eprt epsv fail fail-early fail-with-body false-start follow form-escape ftp-create-dirs ftp-pasv ftp-pret " +
		"ftp-skip-pasv-ip ftp-ssl ftp-ssl-ccc ftp-ssl-control ftp-ssl-reqd get globoff haproxy-protocol head help " +
		"http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length include insecure " +
		"ipv4 ipv6 junk-session-cookies keepalive list-only location location-trusted mail-rcpt-allowfails manual " +
		"metalink mptcp negotiate netrc netrc-optional next npn ntlm ntlm-wb out-null parallel parallel-immediate " +
		"path-as-is post301 post302 post303 progress-bar progress-meter proxy-anyauth proxy-basic proxy-ca-native " +
		"proxy-digest proxy-http2 proxy-http3 proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast " +
		"proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel raw remote-header-name remote-name remote-name-all " +
		"remote-time remove-on-error retry-all-errors retry-connrefused sasl-ir sessionid show-error silent " +
		"skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert " +
		"ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2 sslv3 styled-output suppress-connect-headers " +
		"tcp-fastopen tcp-nodelay tftp-no-options tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding " +
		"trace-ids trace-time use-ascii verbose version xattr "

	// shorts pairs each short option with its long name.
	shorts = " #progress-bar 0http1.0 1tlsv1 2sslv2 3sslv3 4ipv4 6ipv6 :next Auser-agent Buse-ascii Ccontinue-at " +
		"Ddump-header Ecert Fform Gget Hheader Ihead Jremote-header-name Kconfig Llocation Mmanual Nno-buffer " +
		"Oremote-name Pftp-port Qquote Rremote-time Sshow-error Tupload-file Uproxy-user Vversion Xrequest " +
		"Yspeed-limit Zparallel aappend bcookie ccookie-jar ddata ereferer ffail ggloboff hhelp iinclude " +
		"jjunk-session-cookies kinsecure llist-only mmax-time nnetrc ooutput pproxytunnel qdisable rrange ssilent " +
		"ttelnet-option uuser vverbose wwrite-out xproxy yspeed-time ztime-cond "
)

// option is one option as curl understands it.
type option struct {
	name  string // long name
	value bool   // takes a value
	off   bool   // reversed by no-
}

// shortOption finds a short option; the zero option says there is none.
func shortOption(c byte) option {
	if c <= ' ' || c >= 0x7f {
		return option{}
	}
	_, rest, ok := strings.Cut(shorts, " "+string(c))
	if !ok {
		return option{}
	}
	name, _, _ := strings.Cut(rest, " ")
	o, _ := longOption(name, "")
	return o
}

// longOption finds a long option by its name or by the beginning of it that no
// other option shares. The error says at which place what is unknown.
func longOption(name, where string) (option, error) {
	bare, off := strings.CutPrefix(name, "no-")
	if strings.Contains(withValue, " "+bare+" ") && !off {
		return option{name: bare, value: true}, nil
	}
	if strings.Contains(flags, " "+bare+" ") {
		return option{name: bare, off: off}, nil
	}
	if !optionName(name) {
		return option{}, wrong(where, "this is not an option of curl", "is a quote missing before it?")
	}
	if head, _, ok := strings.Cut(name, "="); ok {
		return option{}, wrong(where, "curl has no option --"+head+"=…", "put a space between the option and its value")
	}
	if strings.HasPrefix(name, "expand-") {
		return option{}, wrong(where, "--"+name+" replaces variables, which are not known here", "write the value itself, with --"+name[len("expand-"):])
	}
	var found []string
	if bare != "" {
		for _, n := range strings.Fields(withValue + flags) {
			if strings.HasPrefix(n, bare) {
				found = append(found, n)
			}
		}
	}
	switch {
	case len(found) == 1:
		return option{name: found[0], value: strings.Contains(withValue, " "+found[0]+" "), off: off}, nil
	case len(found) > 1:
		return option{}, wrong(where, "--"+name+" may be any of --"+strings.Join(found[:min(len(found), 4)], ", --"), "write it in full")
	}
	cure := "see curl --help all"
	if near := nearest(bare); near != "" {
		cure = "did you mean --" + near + "?"
	}
	return option{}, wrong(where, "curl has no option --"+name, cure)
}

// optionName reports whether a word may be repeated in a message: small
// letters and hyphens, and not more than an option has. Anything else might be
// a credential in the wrong place.
func optionName(s string) bool {
	s, _, _ = strings.Cut(s, "=")
	if s == "" || len(s) > 28 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// nearest is the option that differs from name by one or two letters, "" if none does.
func nearest(name string) string {
	if len(name) < 3 {
		return ""
	}
	best, at := "", 3
	for _, n := range strings.Fields(withValue + flags) {
		if d := distance(name, n); d < at {
			best, at = n, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two short words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// deferredAuth reports whether an option makes curl wait for a challenge before
// it sends a credential.
func deferredAuth(name string) bool {
	return slices.Contains([]string{"digest", "ntlm", "ntlm-wb", "negotiate", "anyauth"}, name)
}
