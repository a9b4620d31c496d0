package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// AWS Signature Version 4 with the signature in the Authorization header, as the
// IAM User Guide describes it ("Create a signed AWS API request").

const sigV4 = "AWS4-HMAC-SHA256"

// scope is whose key signs, and for what.
type scope struct {
	keyID, secret   string
	date            string // yyyymmddThhmmssZ
	region, service string
}

// signSigV4 sets X-Amz-Date and Authorization over the headers named, Host, and
// X-Amz-Date.
func signSigV4(m *message, s scope, headers ...string) {
	m.header.Set("X-Amz-Date", s.date)
	names := []string{"host", "x-amz-date"}
	for _, name := range headers {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	m.header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
		sigV4, s.keyID, s.date[:8], s.region, s.service, strings.Join(names, ";"), s.signature(m, names)))
}

// verifySigV4 checks a request that arrived against the secret of its key. Of
// the signed headers the required ones must be among them.
func verifySigV4(m *message, secretOf func(keyID string) string, required ...string) error {
	fields := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(m.header.Get("Authorization"), sigV4+" "), ", ") {
		name, value, _ := strings.Cut(part, "=")
		fields[name] = value
	}
	credential := strings.Split(fields["Credential"], "/")
	date := m.header.Get("X-Amz-Date")
	if len(credential) != 5 || !strings.HasPrefix(date, credential[1]+"T") {
		return errors.New("no credential scope for this date")
	}
	names := strings.Split(fields["SignedHeaders"], ";")
	for _, name := range append(required, "host", "x-amz-date") {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s is not signed", name)
		}
	}
	s := scope{credential[0], secretOf(credential[0]), date, credential[2], credential[3]}
	if !hmac.Equal([]byte(s.signature(m, names)), []byte(fields["Signature"])) {
		return errors.New("the signature is of another request")
	}
	return nil
}

func (s scope) signature(m *message, names []string) string {
	day := s.date[:8]
	toSign := strings.Join([]string{sigV4, s.date, day + "/" + s.region + "/" + s.service + "/aws4_request", hexDigest(canonical(m, names))}, "\n")
	key := []byte("AWS4" + s.secret)
	for _, part := range []string{day, s.region, s.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

// canonical is the canonical request. The path is encoded once more as it was
// sent; dot segments and repeated slashes stay, as for Amazon S3.
func canonical(m *message, names []string) string {
	path, query := m.split()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", m.method, encode(path, "/"), canonicalQuery(query))
	for _, name := range names {
		values := m.header.Values(name)
		if name == "host" {
			values = []string{m.host}
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		fmt.Fprintf(&b, "%s:%s\n", name, strings.Join(trimmed, ","))
	}
	fmt.Fprintf(&b, "\n%s\n%s", strings.Join(names, ";"), hexDigest(string(m.body)))
	return b.String()
}

// canonicalQuery sorts the parameters, each decoded and encoded in the one way
// that AWS knows. A percent sign that starts no escape stands for itself.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	var pairs [][2]string
	for piece := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		pairs = append(pairs, [2]string{encode(decode(name), ""), encode(decode(value), "")})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1])
	})
	encoded := make([]string, len(pairs))
	for i, p := range pairs {
		encoded[i] = p[0] + "=" + p[1]
	}
	return strings.Join(encoded, "&")
}

// encode escapes all bytes but RFC 3986's unreserved ones and those of keep.
func encode(s, keep string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(unreserved, s[i]) >= 0 || strings.IndexByte(keep, s[i]) >= 0 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

func decode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexDigest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
