export * from './encode'
export * from './search'
