# Prints the key file $KEYS as a JSON Web Key Set. Keep that as secret as the file: it holds the same keys.
sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$KEYS" | tr '+/' '-_' | tr -d '=' | awk -F: '
	{ printf "%s{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"%s\",\"k\":\"%s\"}", NR == 1 ? "{\"keys\":[" : ",", $1, $2 }
	END { print "]}" }'
