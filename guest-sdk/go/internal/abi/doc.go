// Package abi moves the contract's values in and out of a component's memory,
// by the layout of the component model's canonical ABI. Nothing is ever freed:
// the host drops an instance, and its memory, after one call.
package abi
