/** The class that most of the found rows have; where two tie, the one whose nearest row is nearer. */
export function vote(found: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const votes = new Uint32Array(classes)
  let most = 0
  for (let i = 0; i < found.length; i++) {
    const label = labels[found[i]!]!
    votes[label] = votes[label]! + 1
    most = Math.max(most, votes[label]!)
  }
  for (let i = 0; i < found.length; i++) {
    if (votes[labels[found[i]!]!] === most) return labels[found[i]!]!
  }
  return 0
}
