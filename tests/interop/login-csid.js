/*
 * A server that knows one account and hands out its session id in the way
 * that the address asks for: node login-csid.js prints its URL and serves
 * until it is killed.
 *
 * The address is LAYOUT@x, see layouts; the password is "password"
 * (version 1).  "ug" works under the right session id alone.
 */
'use strict'

const http = require('http')

const user = 'AQIDBAUGBwg'
const k = 'FrUFELc80ZdmjBfhwjaIMA'
const privk =
'f25ltxCAqd3nMcnTnrnwJt00Y9xUg54J5iurvAZQloMWzehgpqJ1B2TNH_AL0UNJ' +
'bGu81aRxH8viEyB1W79AKvJ0uFaGfoKHw5cEOvWYzTbqeQbe7XShgG7n359f1J5-' +
'Ho14B_uBhu1kIQopMlrsrmYcniT2SFFpDYiLXdt9CZOlk19rXN71uCJ3GeTZqXoe' +
'i9lCn54MdwJwXrF8ZVpXms8iHEzoU6-TiJsFNdr-D-3m4Z7niAsOKxmQV4DnuvJ3' +
'Ji4k0Mkt-sMZzZIn4dw2Wna5kiSzM9DZtVfmfA-IofyM8qaiksrxtSKHNBwpWLv-' +
'eZYy_YUdZQH70FLQM_b1H7-bRy0cvHhwivtYumrPj1Inj0Hbj1EQ4x_gzPYhjhXq' +
'DJjMv1yGe1G7ICci0dEbHXV-FZgidlnTn0uHGA_e-NZUwv3WhkHYgKxFPTi98BnM' +
'E01KYqJR00bnc8UMUTaDcwx3f7pF7vAslRP0_Uw5QjOWaqsMG4UE_x9CmwDbbSNO' +
'0r47sntd5Y3WNvQDDdnnS4YRIqEF_XZLUpQ8GTOkrOgyOzFPZMC9Qy_yIRl4S_ys' +
'PxMo6042wfcLWzKT4m8CUVvvPtnrSiewOpjw9GC3PIpywJEqcHD9enauR9eLPmng' +
'Hp0-DVSLpqyhqNkwTAuep1Rh8Gr9uFsehkyI4UcQGJycOduheq3az4WfhgXhpB4E' +
'OKuh789fQu2mFYPTUzUzDiy8ccE9UHHq0UD_j8sX7NdZ5bx4p6UTyeCKeyXOmC46' +
'iOG-pkIljq9lz5_hDiR1Kz0Pd01t59qP917G4SuZIvivGGLKaE2RtqA6W0A-AsUH' +
'cYurztG1-jfry__0TTLxL6k1GhI6OWTQ0sQRMfMD3oc'
const pubk = Buffer.from(
'CAC4s7QXDkawpm4quQrL8cxI5wbGYM1S_yawHHoZrpXfAQnT1eg58k_E7OpJEv7i' +
'RcyCNdIphlvjDKIrLWWL6lQQoky7CxECVSB5KB1t-wx9gq_7KyhVnc-kJMCJV-rN' +
'FZfHep3s29NJBAoLo8UdGxJ99HHA5gOPWGMMyt-zLiuCOQITObF82x8JWT5Qft9s' +
'Y-xII_Y_by-qgQ24SDjm5GVuI2h4xkCc1pa7gX9P7WVGFEDYjYm3-zz0liPu61VV' +
'EyB9v3x1B3SIOKtTDK5IaYJJwl2g_tnedH5fNtk2t8ipPGcnqTXKNEJU6pGPLWM1' +
'BXhyEBxVI-yDBF5YRWTezSpbABABAQ', 'base64url')

const n = BigInt('0x' + pubk.subarray(2, 258).toString('hex'))
const sid = Buffer.from('ABCDEFGHIJKLMNOP' + user + 'abcdefghijklmnop')

/* How many zero bytes go before the id in a block of 256 bytes, what it
 * begins with, and how the number and its text are dressed. */
const layouts = {
  256: { before: 0 },
  255: { before: 1 },
  254: { before: 2 },
  'zero-255': { before: 1, first: 0 },
  'zero-254': { before: 2, first: 0 },
  'zero-padding': { before: 1, fill: 0 },
  bare: { before: 213 },
  'zeros-before': { before: 1, zeros: 3 },
  junk: { before: 1, junk: 32 },
  base64: { before: 1, tail: '==' },
  'no-handle': { before: 1, handle: false }
}

function power (base, exponent) {
  let r = 1n
  for (let b = base; exponent > 0n; exponent >>= 1n, b = b * b % n) {
    if (exponent & 1n) r = r * b % n
  }
  return r
}

function sidOf (layout) {
  const id = Buffer.from(sid)
  if (layout.first !== undefined) id[0] = layout.first
  if (layout.handle === false) id.write('0123456789a', 16)
  return id
}

function csid (layout) {
  const block = Buffer.alloc(256, layout.fill === undefined ? 0x5a : 0)
  block.fill(0, 0, layout.before)
  sidOf(layout).copy(block, layout.before)
  let c = power(BigInt('0x' + block.toString('hex')), 257n).toString(16)
  c = Buffer.from(c.length % 2 ? '0' + c : c, 'hex')
  c = Buffer.concat([Buffer.alloc(layout.zeros || 0), c])
  const head = Buffer.from([c.length >> 5, c.length << 3 & 255])
  const junk = Buffer.alloc(layout.junk || 0, 0xa5)
  return Buffer.concat([head, c, junk]).toString('base64url') +
    (layout.tail || '')
}

let layout

const commands = {
  us0: () => ({ v: 1, s: null }),
  us (c) {
    layout = layouts[c.user.split('@')[0]]
    return layout ? { k, privk, csid: csid(layout), u: user } : -9
  },
  ug (c, got) {
    return got === sidOf(layout).toString('base64url')
      ? { u: user, email: 'a@x', privk }
      : -15
  },
  sml: () => 0
}

const server = http.createServer((req, res) => {
  const query = new URL(req.url, 'http://x').searchParams
  let body = ''
  req.on('data', d => { body += d })
  req.on('end', () => res.end(JSON.stringify(JSON.parse(body).map(c =>
    commands[c.a] ? commands[c.a](c, query.get('sid')) : -2))))
})
server.listen(0, '127.0.0.1', () =>
  console.log('http://127.0.0.1:' + server.address().port))
