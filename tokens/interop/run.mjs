// Answers the questions that node_test.go asks: a line of JSON each, from stdin to stdout.
import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'
import { SignJWT, jwtVerify } from 'jose'
import { verifyByJose } from './verify.mjs'

globalThis.crypto ??= webcrypto // Node 18, which Debian 12 has, does not show it by itself

const answers = {
  snippet: async ({ token }) => ({ sid: await verifyByJose(token) }),

  verify: async ({ token, secret, options, now }) => {
    const clock = now ? { currentDate: new Date(now * 1000) } : {}
    const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(secret, 'base64'), { ...options, ...clock })
    return { header: protectedHeader, claims: payload }
  },

  mint: async ({ header, claims, secret }) => ({
    token: await new SignJWT(claims).setProtectedHeader(header).sign(Buffer.from(secret, 'base64')),
  }),
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  const answer = await answers[question.do](question).catch((err) => ({ error: `${err.code ?? err.name}: ${err.message}` }))
  console.log(JSON.stringify(answer))
}
