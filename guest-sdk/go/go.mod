module reprieve

go 1.24
