package proxy

import "strings"

// grpcDetails is a google.rpc.Status in protobuf's wire format: an ErrorInfo that
// names the kind, a RequestInfo, and a RetryInfo where the same call may succeed
// later (google/rpc/status.proto and error_details.proto).
func grpcDetails(kind Kind, text, requestID string) []byte {
	k := kinds[kind]
	reason := strings.ToUpper(strings.ReplaceAll(k.name, "-", "_"))
	var info, request, status message
	info.text(1, reason)
	info.text(2, "homeward")
	request.text(1, requestID)
	status.number(1, uint64(k.grpc))
	status.text(2, text)
	status.detail("ErrorInfo", info)
	status.detail("RequestInfo", request)
	if k.retry {
		var delay, retry message
		delay.number(1, retryAfterSeconds)
		retry.text(1, string(delay))
		status.detail("RetryInfo", retry)
	}
	return status
}

// message is a protobuf message in the making. Fields are added in the order of
// their numbers, which are under 16.
type message []byte

func (m *message) number(field byte, v uint64) {
	*m = append(*m, field<<3)
	m.varint(v)
}

func (m *message) text(field byte, s string) {
	*m = append(*m, field<<3|2)
	m.varint(uint64(len(s)))
	*m = append(*m, s...)
}

// detail adds a google.protobuf.Any of a type of google.rpc.
func (m *message) detail(name string, d message) {
	var boxed message
	boxed.text(1, "type.googleapis.com/google.rpc."+name)
	boxed.text(2, string(d))
	m.text(3, string(boxed))
}

func (m *message) varint(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		*m = append(*m, byte(v)|0x80)
	}
	*m = append(*m, byte(v))
}
