export declare function figure(src: string): string
