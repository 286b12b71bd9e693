module my-policy

go 1.24

require reprieve v0.0.0

replace reprieve => ./sdk
