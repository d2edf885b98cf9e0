import { PackvecError } from 'packvec'
import { DownloadError } from './fetch-bytes.js'

/** Any error as a sentence that says what happened and what to do. */
export function adviseOn(error: unknown): string {
  if (error instanceof PackvecError) return aboutIndex(error)
  if (error instanceof DownloadError) return `${error.message}. ${error.unreachable ? CONNECT : BUILD_AGAIN}`
  const message = error instanceof Error ? error.message : String(error)
  return `${message.replace(/\.$/, '')}. ${REPORT}`
}

const BUILD_AGAIN = 'Run npm run demo:build again and serve the whole folder that it writes.'
const REPORT = 'Reload the page; if it stays, please report it.'
const CONNECT = 'Connect, or start the server again, and try once more: what came once is kept.'

function aboutIndex({ code, message }: PackvecError): string {
  const advice: Partial<Record<PackvecError['code'], string>> = {
    IO:
      'Check the connection. The index must lie where the page looks for it, and another origin must allow this one ' +
      '(Access-Control-Allow-Origin).',
    INVALID_FILE: `The index is no whole file. ${BUILD_AGAIN}`,
    CHANGED: 'The index was replaced while the page was open: reload the page.',
    TIMEOUT: 'The server is slow or gone: reload the page to try again.',
    TOO_LARGE: 'This device has no room for it: close other tabs or free some space, then reload the page.',
    UNSUPPORTED: 'Another browser, or this one when it is up to date, can open it.',
  }
  return `${message}. ${advice[code] ?? REPORT}`
}
