// The made-up secret that the signing client shares with the origins.
'use strict'
exports.clientSecret = 'made-up-client-secret-of-an-example'
