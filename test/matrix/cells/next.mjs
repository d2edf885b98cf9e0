export const cells = []
