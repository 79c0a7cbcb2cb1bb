/*
 * Drives megajs against a server, for the tests: node megajs.js COMMAND ARG…
 *
 * MEGA_API_URL is the server, MEGA_USERNAME, MEGA_PASSWORD and
 * MEGA_OTP_SEED (if it has one) the account, MEGAJS the folder that holds
 * node_modules.  Paths are remote ones from the Cloud Drive.  What a command
 * yields goes to standard output; a failure is one line on standard error
 * and status 1.
 */
'use strict'

const { createRequire } = require('module')
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const { pipeline } = require('stream/promises')

const base = process.env.MEGAJS || path.join(__dirname, '../../build/interop')
const { Storage, File, API } =
    createRequire(path.join(base, 'package.json'))('megajs')
const gateway = process.env.MEGA_API_URL.replace(/\/*$/, '/')

/* Links, and what is in them, use this one whatever they are told. */
API.globalApi = new API(false, { gateway })

/* The one-time code of now: RFC 6238, seed in base32. */
function totp (seed) {
  const set = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...seed.trim()]
    .map(c => set.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map(b => parseInt(b, 2)))
  const count = Buffer.alloc(8)
  count.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)))
  const mac = crypto.createHmac('sha1', key).update(count).digest()
  const at = mac[19] & 15
  const n = (mac.readUInt32BE(at) & 0x7fffffff) % 1000000
  return String(n).padStart(6, '0')
}

async function login () {
  const storage = new Storage({
    email: process.env.MEGA_USERNAME,
    password: process.env.MEGA_PASSWORD,
    secondFactorCode: process.env.MEGA_OTP_SEED &&
      totp(process.env.MEGA_OTP_SEED),
    gateway,
    keepalive: false
  })
  await storage.ready
  return storage
}

function find (storage, name) {
  let node = storage.root
  for (const part of name.split('/').filter(p => p !== '')) {
    node = (node.children || []).find(c => c.name === part)
    if (!node) throw new Error(name + ': not found')
  }
  return node
}

async function openLink (link) {
  const file = File.fromURL(link)
  await file.loadAttributes()
  return file
}

async function save (file, local, options = {}) {
  const data = await file.downloadBuffer(options)
  if (local !== '-') return fs.writeFileSync(local, data)
  await new Promise(resolve => process.stdout.write(data, resolve))
}

async function sendStream (folder, local, name) {
  const size = fs.statSync(local).size
  const up = folder.upload({ name, size })
  fs.createReadStream(local).pipe(up)
  await up.complete
}

async function saveStream (file, local) {
  await pipeline(file.download(), fs.createWriteStream(local))
}

/* Do it for each of the items, n at a time. */
async function several (items, n, work) {
  let next = 0
  await Promise.all(Array.from({ length: Number(n) }, async () => {
    while (next < items.length) await work(items[next++])
  }))
}

function walk (node, prefix, print) {
  for (const c of node.children || []) {
    const name = prefix + '/' + c.name
    print(c.directory ? name + '/' : name + ' ' + c.size)
    walk(c, name, print)
  }
}

const commands = {
  async login () {
    const s = await login()
    console.log(s.user)
  },

  async ls (name = '/') {
    walk(find(await login(), name), name.replace(/\/$/, ''), console.log)
  },

  async put (local, remote) {
    const s = await login()
    const data = fs.readFileSync(local)
    const up = find(s, path.posix.dirname(remote)).upload(
      { name: path.posix.basename(remote), size: data.length }, data)
    await up.complete
  },

  async get (remote, local) {
    await save(find(await login(), remote), local)
  },

  async mkdir (remote) {
    const s = await login()
    await find(s, path.posix.dirname(remote))
      .mkdir(path.posix.basename(remote))
  },

  async rm (remote, forever) {
    await find(await login(), remote).delete(forever === 'forever')
  },

  async mv (remote, folder) {
    const s = await login()
    await find(s, remote).moveTo(find(s, folder))
  },

  async rename (remote, name) {
    await find(await login(), remote).rename(name)
  },

  async link (remote) {
    console.log(await find(await login(), remote).link())
  },

  async unlink (remote) {
    await find(await login(), remote).unshare()
  },

  async df () {
    const info = await (await login()).getAccountInfo()
    console.log(info.spaceUsed + ' ' + info.spaceTotal)
  },

  /* Large files, by streams. */
  async 'put-stream' (local, remote) {
    await sendStream(find(await login(), path.posix.dirname(remote)), local,
      path.posix.basename(remote))
  },

  async 'get-stream' (remote, local) {
    await saveStream(find(await login(), remote), local)
  },

  /* All files of a folder, into an empty one, so many at a time. */
  async 'put-all' (local, remote, n) {
    const folder = find(await login(), remote)
    await several(fs.readdirSync(local), n, name =>
      sendStream(folder, path.join(local, name), name))
  },

  async 'get-all' (remote, local, n) {
    await several(find(await login(), remote).children, n, file =>
      saveStream(file, path.join(local, file.name)))
  },

  /* A file by its link. */
  async dl (link, local) {
    await save(await openLink(link), local)
  },

  /* The same without its MAC check, which a range turns off. */
  async 'dl-unchecked' (link, local) {
    const file = await openLink(link)
    await save(file, local, { end: file.size - 1 })
  },

  /* What is in a folder link. */
  async 'folder-link' (link) {
    walk(await openLink(link), '', console.log)
  },

  /* A file by the folder link above it. */
  async 'folder-get' (link, name, local) {
    await save(find({ root: await openLink(link) }, name), local)
  },

  /* A public file into the account. */
  async 'import' (link) {
    const s = await login()
    await s.root.importFile(await openLink(link))
  },

  async logout () {
    await (await login()).close()
  }
}

const [name, ...args] = process.argv.slice(2)

if (!commands[name]) {
  console.error('megajs.js: commands: ' + Object.keys(commands).join(' '))
  process.exit(2)
}
/* An exit that waits until all is written. */
const exit = status => process.stdout.write('', () => process.exit(status))

commands[name](...args).then(() => exit(0), err => {
  console.error('megajs.js: ' + err.message)
  exit(1)
})
