// npm @cedx/akismet with its option `baseUrl`; it takes any debug or alert header for an error.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { converse } from './conversation.mjs'

const require = createRequire(join(process.env.NODE_PACKAGES, 'index.js'))
const { Author, Blog, CheckResult, Client, Comment } = await import(
  pathToFileURL(require.resolve('@cedx/akismet')).href
)
const SAID = new Map([
  [CheckResult.ham, 'ham'], [CheckResult.spam, 'spam'], [CheckResult.pervasiveSpam, 'discard']
])

await converse(async ({ do: what, key, blog, comment = {} }) => {
  const { is_test: isTest, user_ip, user_agent, comment_author, comment_author_email, comment_author_url,
    user_role, comment_content, permalink, comment_type, ...unknown } = comment
  if (Object.keys(unknown).length) throw new Error(`cannot express ${Object.keys(unknown)}`)
  const client = new Client(key, new Blog({ url: blog, charset: 'UTF-8' }), {
    baseUrl: process.env.SERVICE_URL, isTest: Boolean(isTest)
  })
  const told = new Comment({
    author: new Author({
      ipAddress: user_ip, userAgent: user_agent, name: comment_author, email: comment_author_email,
      url: comment_author_url, role: user_role
    }),
    content: comment_content, permalink, type: comment_type
  })
  switch (what) {
    case 'verify': return await client.verifyKey() ? 'valid' : 'invalid'
    case 'check': return SAID.get(await client.checkComment(told))
    case 'submit-spam': await client.submitSpam(told); return 'thanks'
    case 'submit-ham': await client.submitHam(told); return 'thanks'
  }
  throw new Error(`no such task: ${what}`)
})
