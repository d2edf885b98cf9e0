export declare const DOORS: string
export declare function folderOf(file: string): string
export declare function importsOfFiles(src: string): Map<string, string[]>
export declare function importsOfFolders(src: string): Map<string, string[]>
