import { jwtVerify } from 'jose'

// The same COATCHECK_KEYS as the service has: id:base64,id:base64
const secrets = new Map(process.env.COATCHECK_KEYS.split(',').map((key) => {
  const [id, secret] = key.trim().split(':')
  return [id, Buffer.from(secret, 'base64')]
}))

// Resolves to the session ID in a token.
export async function verifyByJose(token) {
  const { payload } = await jwtVerify(token, ({ kid }) => {
    if (!secrets.has(kid)) throw new Error('unknown key')
    return secrets.get(kid)
  }, {
    algorithms: ['HS256'], typ: 'session+jwt', requiredClaims: ['exp'],
    issuer: 'https://shop.example', audience: 'session',
  })
  return payload.sid
}
