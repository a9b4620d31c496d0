package credential

// Reason says which check of a format settled its claim.
type Reason uint8
