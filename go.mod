module github.com/alwayson-sync/alwayson

go 1.26.0
