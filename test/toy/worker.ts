import './form.js'
import '../../src/pool/worker.js'

// The worker of the pool, to which the toy code is known.
