// What the contract calls a policy's functions: AssemblyScript exports only names that are identifiers.

const names = {
  describe: "reprieve:policy/guest@0.1.0#describe",
  configure: "reprieve:policy/guest@0.1.0#configure",
  decide: "reprieve:policy/retry-policy@0.1.0#decide",
  plan: "reprieve:policy/cleanup-policy@0.1.0#plan",
  realloc: "cabi_realloc",
};

export default class {
  afterCompile(module) {
    for (const name of Object.keys(names)) {
      const ref = module.getExport(name);
      if (!ref) continue;
      const within = this.binaryen.getExportInfo(ref).value;
      module.removeExport(name);
      module.addFunctionExport(within, names[name]);
    }
  }
}
