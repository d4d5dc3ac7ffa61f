package dsstore

// Each calls fn for each live item of a collection with its body, by Rev. An error of fn ends it and is returned.
func Each(tx Tx, c Collection, fn func(Item, []byte) error) error {
	items, err := tx.List(c)
	if err != nil {
		return err
	}
	for _, it := range items {
		body, err := tx.Body(it.Hash)
		if err != nil {
			return err
		}
		if err := fn(it, body); err != nil {
			return err
		}
	}
	return nil
}
