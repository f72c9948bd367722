# Prints the claims of $TOKEN if it was signed with $SECRET, which is in base64.
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
key=$(printf %s "$SECRET" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
signature=$(printf %s "${TOKEN%.*}" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64url)
[ "$signature" = "${TOKEN##*.}" ] || { echo "not signed with this secret" >&2; exit 1; }
claims=$(printf %s "$TOKEN" | cut -d . -f 2 | tr '_-' '/+')
while [ $((${#claims} % 4)) -ne 0 ]; do claims=$claims=; done
printf %s "$claims" | openssl base64 -d -A && echo
