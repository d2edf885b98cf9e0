/** Registers the service worker; says whether this site will open without a network. */
export async function keepForOffline(): Promise<boolean> {
  // Only secure origins have one; localhost counts.
  if (!('serviceWorker' in navigator)) return false
  try {
    const { active, waiting, installing } = await navigator.serviceWorker.register('service-worker.js', { scope: './' })
    const worker = installing ?? waiting ?? active
    return worker !== null && (await isInstalled(worker))
  } catch {
    return false
  }
}

/** Waits for the end of the installation, which fails where the site's files do not fit. */
function isInstalled(worker: ServiceWorker): Promise<boolean> {
  return new Promise((resolve) => {
    const look = () => {
      if (worker.state === 'activated' || worker.state === 'installed') resolve(true)
      else if (worker.state === 'redundant') resolve(false)
    }
    worker.addEventListener('statechange', look)
    look()
  })
}
