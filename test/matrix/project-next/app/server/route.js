import { runCore } from '../../core.js'

export const dynamic = 'force-dynamic'

export function GET() {
  return Response.json(runCore())
}
