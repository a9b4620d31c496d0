package credential

// Fingerprint stands for a credential in logs, metrics and the override table.
type Fingerprint uint64
