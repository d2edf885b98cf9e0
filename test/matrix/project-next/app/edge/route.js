import { runCore } from '../../core.js'

export const runtime = 'edge'

export function GET() {
  return Response.json(runCore())
}
