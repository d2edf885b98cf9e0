export declare function licencesOf(inputs: readonly string[]): Promise<string>
