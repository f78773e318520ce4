import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/altar/",
  build: { outDir: "../src/lych_altar/static", emptyOutDir: true },
  plugins: [tailwindcss()],
  server: { proxy: { "/health": "http://127.0.0.1:8000", "/members": "http://127.0.0.1:8000" } },
});
