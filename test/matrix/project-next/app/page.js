'use client'

import { useEffect } from 'react'
import { runCore } from '../core.js'
import { runPool } from '../pool.js'

export default function Page() {
  useEffect(() => {
    const run = async () => ({ core: runCore(), pool: await runPool() })
    globalThis.outcome = run().catch((error) => ({ error: String(error.stack ?? error) }))
  }, [])
  return <p>packvec</p>
}
