// How a test and a driver talk: one JSON object per line, a task in and what the client made of it out.
import { createInterface } from 'node:readline'

export async function converse(carryOut) {
  for await (const line of createInterface({ input: process.stdin })) {
    let answer
    try {
      answer = { said: await carryOut(JSON.parse(line)) }
    } catch (error) {
      answer = { said: 'error', why: String(error) }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
}
