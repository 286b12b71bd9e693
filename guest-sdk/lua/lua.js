// A Lua machine in JavaScript (Fengari, Lua 5.3), and values to it and back.

import defs from "fengari/src/defs.js";
import lauxlib from "fengari/src/lauxlib.js";
import base from "fengari/src/lbaselib.js";
import coroutine from "fengari/src/lcorolib.js";
import math from "fengari/src/lmathlib.js";
import string from "fengari/src/lstrlib.js";
import table from "fengari/src/ltablib.js";
import lua from "fengari/src/lua.js";
import utf8 from "fengari/src/lutf8lib.js";

const text = defs.to_luastring;
const libraries = {
  _G: base.luaopen_base,
  coroutine: coroutine.luaopen_coroutine,
  math: math.luaopen_math,
  string: string.luaopen_string,
  table: table.luaopen_table,
  utf8: utf8.luaopen_utf8,
};

/** What Lua sees as a table whose fields are read where they are asked for: `get(name)` gives one. */
export class Record {
  constructor(get) {
    this.get = get;
  }
}

/** A machine whose `require` finds these modules, texts by their names. `reprieve` is given the functions of `host`. */
export class Machine {
  #L = lauxlib.luaL_newstate();
  #records = new WeakMap();
  #reading = this.#metatable();

  constructor(modules, host) {
    const L = this.#L;
    for (const [name, open] of Object.entries(libraries)) {
      lauxlib.luaL_requiref(L, text(name), open, 1);
      lua.lua_pop(L, 1);
    }
    const loaded = new Map();
    lua.lua_pushcfunction(L, () => {
      const name = lua.lua_tojsstring(L, 1);
      if (!loaded.has(name)) {
        if (!(name in modules)) return lauxlib.luaL_error(L, text(`there is no module \`${name}\``));
        if (!this.#load(name, modules[name])) return lua.lua_error(L);
        this.#push(name === "reprieve" ? host : null);
        lua.lua_call(L, 1, 1);
        loaded.set(name, lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX));
      }
      lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, loaded.get(name));
      return 1;
    });
    lua.lua_setglobal(L, text("require"));
    // A component has no console: there, what is printed goes nowhere.
    lua.lua_pushcfunction(L, () => {
      const values = [];
      for (let at = 1; at <= lua.lua_gettop(L); at++) values.push(this.#words(at));
      globalThis.console?.error(values.join("\t"));
      return 0;
    });
    lua.lua_setglobal(L, text("print"));
  }

  /** Runs a text, and returns what it does. An error there is one here. */
  run(name, source) {
    if (!this.#load(name, source)) throw new Error(this.#pop());
    return this.#call(0);
  }

  #load(name, source) {
    return lauxlib.luaL_loadbuffer(this.#L, text(source), null, text(`@${name}.lua`)) === lua.LUA_OK;
  }

  #call(count) {
    const L = this.#L;
    const handler = lua.lua_gettop(L) - count;
    lua.lua_pushcfunction(L, this.#raised);
    lua.lua_insert(L, handler);
    const failed = lua.lua_pcall(L, count, 1, handler) !== lua.LUA_OK;
    const value = this.#pop();
    lua.lua_pop(L, 1);
    // The text says what it is and where.
    if (failed) throw Object.assign(new Error(value), { name: "" });
    return value;
  }

  /** Words an error that is no text, and says where it was raised: 0 is this function, 1 `error`, 2 its caller. */
  #raised = () => {
    const L = this.#L;
    if (lua.lua_type(L, 1) === lua.LUA_TSTRING) return 1;
    lauxlib.luaL_where(L, 2);
    const told = lua.lua_type(L, 1) === lua.LUA_TTABLE && !lauxlib.luaL_getmetafield(L, 1, text("__tostring"));
    const words = told ? JSON.stringify(this.#read(1)) : this.#words(1);
    lua.lua_pushstring(L, text(lua.lua_tojsstring(L, 2) + words));
    return 1;
  };

  /** A value as `tostring` has it. */
  #words(at) {
    lauxlib.luaL_tolstring(this.#L, at);
    return this.#pop();
  }

  #pop() {
    const value = this.#read(-1);
    lua.lua_pop(this.#L, 1);
    return value;
  }

  #read(at) {
    const L = this.#L;
    switch (lua.lua_type(L, at)) {
      case lua.LUA_TBOOLEAN:
        return lua.lua_toboolean(L, at);
      case lua.LUA_TNUMBER:
        return lua.lua_tonumber(L, at);
      case lua.LUA_TSTRING:
        return lua.lua_tojsstring(L, at);
      case lua.LUA_TFUNCTION:
        return this.#function(at);
      case lua.LUA_TTABLE:
        return this.#table(lua.lua_absindex(L, at));
      default:
        return undefined;
    }
  }

  /** A list where there is something at 1, else an object. */
  #table(at) {
    const L = this.#L;
    const list = [];
    for (let place = 1; place <= lua.lua_rawlen(L, at); place++) {
      lua.lua_rawgeti(L, at, place);
      list.push(this.#pop());
    }
    if (list.length > 0) return list;
    const object = {};
    for (lua.lua_pushnil(L); lua.lua_next(L, at); ) {
      const value = this.#pop();
      object[lua.lua_tojsstring(L, -1)] = value;
    }
    return object;
  }

  #function(at) {
    lua.lua_pushvalue(this.#L, at);
    const kept = lauxlib.luaL_ref(this.#L, lua.LUA_REGISTRYINDEX);
    return (...values) => {
      lua.lua_rawgeti(this.#L, lua.LUA_REGISTRYINDEX, kept);
      for (const value of values) this.#push(value);
      return this.#call(values.length);
    };
  }

  #push(value) {
    const L = this.#L;
    if (value === null || value === undefined) lua.lua_pushnil(L);
    else if (typeof value === "boolean") lua.lua_pushboolean(L, value);
    else if (typeof value === "string") lua.lua_pushstring(L, text(value));
    else if (typeof value === "function") this.#pushFunction(value);
    else if (typeof value === "object") this.#pushTable(value);
    else if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) lua.lua_pushinteger(L, value);
    else lua.lua_pushnumber(L, Number(value));
  }

  #pushTable(value) {
    const L = this.#L;
    lua.lua_newtable(L);
    if (value instanceof Record) {
      this.#records.set(lua.lua_topointer(L, -1), value);
      lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, this.#reading);
      lua.lua_setmetatable(L, -2);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      this.#push(Array.isArray(value) ? Number(key) + 1 : key);
      this.#push(item);
      lua.lua_rawset(L, -3);
    }
  }

  /** The metatable of records, which reads a field once. */
  #metatable() {
    const L = this.#L;
    lua.lua_newtable(L);
    lua.lua_pushliteral(L, "__index");
    lua.lua_pushcfunction(L, () => {
      this.#push(this.#records.get(lua.lua_topointer(L, 1)).get(lua.lua_tojsstring(L, 2)));
      lua.lua_pushvalue(L, 2);
      lua.lua_pushvalue(L, -2);
      lua.lua_rawset(L, 1);
      return 1;
    });
    lua.lua_rawset(L, -3);
    return lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX);
  }

  #pushFunction(called) {
    lua.lua_pushcfunction(this.#L, () => {
      const values = [];
      for (let at = 1; at <= lua.lua_gettop(this.#L); at++) values.push(this.#read(at));
      this.#push(called(...values));
      return 1;
    });
  }
}
